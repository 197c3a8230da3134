import { Secrets } from "../base/secrets.ts";
import { abortOnSignals, Interruption } from "./abort-on-signals.ts";
import type { CliContext } from "./cli-context.ts";
import { secretsIn } from "./secrets-in-environment.ts";

/** What the commands get of the process that runs them. */
export function createContext(
  target: NodeJS.Process,
  options: Pick<CliContext, "version" | "isMachineReadable">,
): CliContext {
  return {
    ...options,
    environment: { ...target.env },
    secrets: new Secrets(secretsIn(target.env)),
    // Made when it is first looked at: most commands never do.
    get stdin() {
      return target.stdin;
    },
    stdout: target.stdout,
    stderr: target.stderr,
    selfCommand: [target.execPath, ...target.execArgv, target.argv[1] ?? ""],
    abortOnSignals() {
      const signal = abortOnSignals(target);
      // As SIGPIPE would end a program in C, only with everything released.
      target.stdout.once("error", () => signal.abort(new Interruption("The reader of the output has gone")));
      return signal;
    },
  };
}
