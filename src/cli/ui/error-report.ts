import { flattenFailure, hintOf, messageOf, nextCause, reasonOf, systemCode, ToolError } from "../../base/errors.ts";
import type { Problem } from "../../base/problems.ts";
import type { SourceExcerpt } from "../../base/source-excerpt.ts";
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
  /** The line, for people: what is marked begins at `column`. */
  readonly excerpt?: SourceExcerpt;
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
  const systemHint = SYSTEM_HINTS[systemCode(primary) ?? ""];
  if (!(primary instanceof ToolError) && systemHint !== undefined) {
    return { code: "ERR_SYSTEM", message: messageOf(primary), causes, hint: systemHint, cleanup };
  }
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

/** What the host is short of can show at any step. It is no bug of ours. */
const SYSTEM_HINTS: Readonly<Record<string, string>> = {
  ENOSPC: "Make room: a file system of this host is full, see df -h and df -i",
  EDQUOT: "Make room: a quota of this host is used up",
  EROFS: "Find out why a file system of this host is read-only: see dmesg",
  EIO: "Look at this host's disks: see dmesg",
  EMFILE: "Raise the limit of open files: ulimit -n",
  ENFILE: "End some programs: this host has too many files open",
  ENOMEM: "End some programs, or use a host with more memory",
};

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
    if (text !== "" && !said.includes(reasonOf(cause) || text)) {
      causes.push(text);
      said = text;
    }
    cause = nextCause(cause);
  }
  return causes;
}

/** An AWS error's name is its code, which people search for. */
function describeCause(cause: unknown): string {
  if (!(cause instanceof Error) || cause instanceof ToolError || cause.name === "Error") return messageOf(cause);
  if (cause.message === "") return "code" in cause ? String(cause.code) : cause.name;
  return cause.name.endsWith("Error") ? cause.message : `${cause.name}: ${cause.message}`;
}

// By shape: the template reader is not loaded for the sake of an error that is not its own.
function problemsOf(error: ToolError): ProblemReport[] | undefined {
  if (!("problems" in error) || !Array.isArray(error.problems)) return undefined;
  return (error.problems as readonly Problem[]).map(({ location, message, hint, excerpt }) => ({
    ...(location === undefined ? {} : { file: location.file, line: location.line, column: location.column }),
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(excerpt === undefined ? {} : { excerpt }),
  }));
}
