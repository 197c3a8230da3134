/**
 * Who can mend it, which is also the exit code: the template or the command
 * line (`usage`, 2), this machine (`host`, 4), or what the build met (`build`, 1).
 */
export type Fault = "usage" | "host" | "build";

export interface ToolErrorOptions {
  readonly cause?: unknown;
  /** One imperative sentence, with the command to type where there is one. */
  readonly hint?: string | undefined;
  readonly fault?: Fault;
}

/**
 * An error that a user can act on: printed with its causes and its hint, never
 * with a stack. Anything else that reaches the command line is our bug.
 *
 * The code is stable and listed in docs/errors.md.
 */
export class ToolError extends Error {
  override readonly name: string = "ToolError";
  readonly code: `ERR_${string}`;
  readonly hint: string | undefined;
  readonly fault: Fault;

  constructor(code: `ERR_${string}`, message: string, options: ToolErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.fault = options.fault ?? "build";
  }
}

/** Something amibake made and could not remove. */
export interface Leftover {
  readonly kind: "volume" | "attachment" | "snapshot" | "image" | "mount" | "loop device" | "directory" | "process";
  readonly id: string;
  /** Shell command that removes it. */
  readonly removeWith: string;
  /** Shell command by which a person gets into an image that was kept mounted. */
  readonly enterWith?: string;
  readonly error: unknown;
}

/**
 * Releases a scratch thing: a failure is reported as a leftover and not thrown,
 * so that it never replaces the result of the build.
 */
export async function releaseOrReport(
  leftover: Omit<Leftover, "error">,
  remove: () => Promise<void>,
  report: (leftover: Leftover) => void,
): Promise<void> {
  try {
    await remove();
  } catch (error) {
    report({ ...leftover, error });
  }
}

export interface FlatFailure {
  /** What went wrong first. */
  readonly primary: unknown;
  /** What then failed while releasing, oldest first. */
  readonly cleanup: readonly unknown[];
}

/**
 * Undoes the nesting that `await using` builds when a release fails too.
 *
 * The runtime wraps outward: the newest cleanup error is outermost and the root
 * cause is the innermost `suppressed`. A person wants the opposite order.
 */
export function flattenFailure(thrown: unknown): FlatFailure {
  if (!isSuppressed(thrown)) return { primary: thrown, cleanup: [] };
  const { primary, cleanup } = flattenFailure(thrown.suppressed);
  const later = flattenFailure(thrown.error);
  return { primary, cleanup: [...cleanup, later.primary, ...later.cleanup] };
}

/** The same failure, explained by another error than its first one. What failed while cleaning up stays. */
export function explainFailure(thrown: unknown, primary: unknown): unknown {
  if (!isSuppressed(thrown)) return primary;
  const { name, error } = thrown;
  return Object.assign(new Error(thrown.message), {
    name,
    error,
    suppressed: explainFailure(thrown.suppressed, primary),
  });
}

// By name: on Node 20 there is no SuppressedError class to `instanceof`.
function isSuppressed(error: unknown): error is Error & { error: unknown; suppressed: unknown } {
  return error instanceof Error && error.name === "SuppressedError" && "suppressed" in error;
}

/** What an error was caused by; of several that failed together, the first. */
export function nextCause(error: unknown): unknown {
  if (error instanceof AggregateError && error.cause === undefined) return error.errors[0];
  return error instanceof Error ? error.cause : undefined;
}

/** The hint nearest to what the user did. */
export function hintOf(error: unknown): string | undefined {
  for (let current = error; current !== undefined; current = nextCause(current)) {
    if (current instanceof ToolError && current.hint !== undefined) return current.hint;
  }
  return undefined;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * As `messageOf`, but of a system error only what the system says, "ENOSPC: no space left on device": the path that
 * follows is often one that only this process knows.
 */
export function reasonOf(error: unknown): string {
  const message = messageOf(error);
  return /^E[A-Z0-9]+: /.test(message) ? message.replace(/, [a-z_]+(?: '.*)?$/s, "") : message;
}

/** The `code` of a Node system error, e.g. "ENOENT". */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
