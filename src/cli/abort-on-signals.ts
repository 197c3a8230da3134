/** Why a command was aborted from outside. */
export class Interruption extends Error {
  override readonly name = "Interruption";
}

const SIGNAL_NAMES = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Aborts on the first signal; the next one keeps its default meaning and ends us at once.
 *
 * An exception that nobody caught aborts too, with itself as the reason: without
 * that, Node would end the process with every mount and volume still there.
 */
export function abortOnSignals(target: NodeJS.Process): AbortSignal & Disposable & { abort(reason: Error): void } {
  const controller = new AbortController();
  const forget = () => {
    for (const name of SIGNAL_NAMES) target.off(name, onSignal);
    target.off("uncaughtException", onException);
  };
  const abort = (reason: unknown) => {
    forget();
    controller.abort(reason);
  };
  const onSignal = (name: NodeJS.Signals) => abort(new Interruption(`Received ${name}`));
  // Unhandled rejections arrive here as well: that is Node's default.
  const onException = (error: unknown) => abort(error);
  for (const name of SIGNAL_NAMES) target.on(name, onSignal);
  target.on("uncaughtException", onException);
  return Object.assign(controller.signal, { abort, [Symbol.dispose]: forget });
}
