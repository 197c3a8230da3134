import { flattenFailure, ToolError } from "../base/errors.ts";
import type { BuildSummary } from "../build/run-builds.ts";
import { Interruption } from "./abort-on-signals.ts";

/** What the exit code of every command means. Printed by `--help`. */
export const EXIT_CODES = {
  0: "done",
  1: "a build failed; nothing was left behind",
  2: "wrong usage, or a problem in the template",
  3: "something was left behind; the output says what, and how to remove it",
  4: "this host cannot: not Linux, not root, or a tool is missing",
  130: "interrupted; nothing was left behind",
} as const;

export type ExitCode = keyof typeof EXIT_CODES;

/** The exit code of a run of builds. What was left behind matters more than why. */
export function exitCodeOfSummary(summary: BuildSummary, signal: AbortSignal): ExitCode {
  if (summary.leftovers.length > 0) return 3;
  const errors = summary.results.flatMap((result) => ("error" in result ? [result.error] : []));
  if (errors.length === 0) return 0;
  // Whatever a build that was being cancelled complained of.
  if (signal.reason instanceof Interruption) return 130;
  const codes = new Set(errors.map(exitCodeOfError));
  const [first, ...others] = codes;
  return first === undefined || others.length > 0 ? 1 : first;
}

/** The exit code of a command that threw. */
export function exitCodeOfError(thrown: unknown): ExitCode {
  const { primary } = flattenFailure(thrown);
  if (primary instanceof Interruption) return 130;
  if (!(primary instanceof ToolError)) return 1;
  const codes = { usage: 2, host: 4, build: 1 } as const;
  return codes[primary.fault];
}
