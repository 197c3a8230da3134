import { encodeError } from "../../base/error-message.ts";
import { messageOf } from "../../base/errors.ts";
import type { DaemonLine } from "../../linux/daemons/reach-daemon.ts";
import type { CliContext } from "../cli-context.ts";
import type { ExitCode } from "../exit-codes.ts";

export interface BackgroundWork<Ready> {
  readonly signal: AbortSignal;
  readonly onReady: (ready: Ready) => void;
  readonly report: (message: string, error?: unknown) => void;
}

/** Runs a daemon in the background: it says one line to whoever waits for it, then only what goes into its log. */
export async function runInBackground<Ready>(
  context: CliContext,
  run: (work: BackgroundWork<Ready>) => Promise<void>,
): Promise<ExitCode> {
  using signal = context.abortOnSignals();
  const say = (line: DaemonLine<Ready>) => void context.stdout.write(`${JSON.stringify(line)}\n`);
  try {
    await run({
      signal,
      onReady: (ready) => say({ ready }),
      report: (message, error) => reportToLog(context, message, error),
    });
    return 0;
  } catch (error) {
    say({ error: encodeError(error) });
    throw error;
  }
}

/** A line with the time, on standard error. */
export function reportToLog(context: CliContext, message: string, error?: unknown): void {
  const why = error === undefined || message.includes(messageOf(error)) ? "" : `: ${messageOf(error)}`;
  context.stderr.write(`${new Date().toISOString()} ${message}${why}\n`);
}
