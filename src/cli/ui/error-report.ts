import { flattenFailure, messageOf, ToolError } from "../../base/errors.ts";
import { Interruption } from "../abort-on-signals.ts";

/** An error as data: what `--json` prints and what the other outputs format. */
export interface ErrorReport {
  /** Listed in docs/errors.md. */
  readonly code: string;
  readonly message: string;
  /** Why, the nearest cause first. */
  readonly causes: readonly string[];
  readonly hint?: string;
  /** Each problem of a template. */
  readonly problems?: readonly ProblemReport[];
  /** What failed while cleaning up after it, oldest first. */
  readonly cleanup: readonly string[];
  /** Only of an error that is amibake's own fault. */
  readonly stack?: string;
}

export interface ProblemReport {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
  readonly hint?: string;
}

/** Turns anything that was thrown into data, root cause first. */
export function errorReport(thrown: unknown): ErrorReport {
  const flat = flattenFailure(thrown);
  const primary = withoutAbortWrapper(flat.primary);
  const cleanup = flat.cleanup.map((error) => [messageOf(error), ...causesOf(error)].join(": "));
  if (primary instanceof Interruption) {
    return { code: "ERR_INTERRUPTED", message: primary.message, causes: [], cleanup };
  }
  const causes = causesOf(primary);
  if (!(primary instanceof ToolError)) {
    const stack = primary instanceof Error && primary.stack !== undefined ? primary.stack : String(primary);
    return { code: "ERR_INTERNAL", message: messageOf(primary), causes, cleanup, stack };
  }
  const hint = hintOf(primary);
  const problems = problemsOf(primary);
  return {
    code: primary.code,
    message: primary.message,
    causes,
    ...(hint === undefined ? {} : { hint }),
    ...(problems === undefined ? {} : { problems }),
    cleanup,
  };
}

/** Node's own functions answer an abort with an AbortError around the reason. */
function withoutAbortWrapper(error: unknown): unknown {
  return error instanceof Error && error.name === "AbortError" && error.cause instanceof Interruption
    ? error.cause
    : error;
}

const CAUSES_MAX = 10;

function causesOf(error: unknown): string[] {
  const causes: string[] = [];
  let said = messageOf(error);
  let cause = nextCause(error);
  while (cause !== undefined && causes.length < CAUSES_MAX) {
    const text = describeCause(cause);
    // Many an error quotes its cause; saying it twice helps nobody.
    if (text !== "" && !said.includes(messageOf(cause) || text)) {
      causes.push(text);
      said = text;
    }
    cause = nextCause(cause);
  }
  return causes;
}

function nextCause(error: unknown): unknown {
  if (error instanceof AggregateError && error.cause === undefined) return error.errors[0];
  return error instanceof Error ? error.cause : undefined;
}

/** An AWS error's name is its code, which people search for. */
function describeCause(cause: unknown): string {
  if (!(cause instanceof Error) || cause instanceof ToolError || cause.name === "Error") return messageOf(cause);
  if (cause.message === "") return "code" in cause ? String(cause.code) : cause.name;
  return cause.name.endsWith("Error") ? cause.message : `${cause.name}: ${cause.message}`;
}

/** The hint nearest to what the user did. */
function hintOf(error: unknown): string | undefined {
  for (let current = error; current !== undefined; current = nextCause(current)) {
    if (current instanceof ToolError && current.hint !== undefined) return current.hint;
  }
  return undefined;
}

interface TemplateProblem {
  readonly location?: { readonly file: string; readonly line: number; readonly column: number };
  readonly message: string;
  readonly hint?: string;
}

// By shape: the template reader is not loaded for the sake of an error that is not its own.
function problemsOf(error: ToolError): ProblemReport[] | undefined {
  if (!("problems" in error) || !Array.isArray(error.problems)) return undefined;
  return (error.problems as readonly TemplateProblem[]).map(({ location, message, hint }) => ({
    ...(location === undefined ? {} : { file: location.file, line: location.line, column: location.column }),
    message,
    ...(hint === undefined ? {} : { hint }),
  }));
}
