import type { ExitCode } from "./exit-codes.ts";

/** Why a command was aborted from outside. */
export class Interruption extends Error {
  override readonly name = "Interruption";
}

const LEFT_BEHIND = 3 satisfies ExitCode;

const SIGNAL_NAMES = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Aborts on the first signal; the next one ends us at once, with whatever is left then.
 *
 * An exception that nobody caught aborts too, with itself as the reason: without
 * that, Node would end the process with every mount and volume still there.
 */
export function abortOnSignals(target: NodeJS.Process): AbortSignal & Disposable & { abort(reason: Error): void } {
  const controller = new AbortController();
  const forget = () => {
    for (const name of SIGNAL_NAMES) target.off(name, onSignal).off(name, endAtOnce);
    target.off("uncaughtException", onException);
  };
  const abort = (reason: unknown) => {
    forget();
    for (const name of SIGNAL_NAMES) target.on(name, endAtOnce);
    controller.abort(reason);
  };
  const onSignal = (name: NodeJS.Signals) => abort(new Interruption(`Received ${name}`));
  function endAtOnce(name: NodeJS.Signals): void {
    target.stderr.write(`\nReceived ${name} again: what was made is left behind. Remove it with: amibake clean\n`);
    target.exit(LEFT_BEHIND);
  }
  // Unhandled rejections arrive here as well: that is Node's default.
  const onException = (error: unknown) => abort(error);
  for (const name of SIGNAL_NAMES) target.on(name, onSignal);
  target.on("uncaughtException", onException);
  return Object.assign(controller.signal, { abort, [Symbol.dispose]: forget });
}
