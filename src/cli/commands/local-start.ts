import { ToolError } from "../../base/errors.ts";
import { shellQuote } from "../../base/shell-quote.ts";
import { askDaemon } from "../../local-cloud/daemon/control-client.ts";
import type { DaemonStatus } from "../../local-cloud/daemon/control-protocol.ts";
import { runDaemon } from "../../local-cloud/daemon/run-daemon.ts";
import { startLocalDaemon } from "../../local-cloud/local-client.ts";
import { makeStoreDirectory } from "../../local-cloud/make-store-directory.ts";
import { lockStarting } from "../../local-cloud/store-lock.ts";
import type { CliContext } from "../cli-context.ts";
import type { ExitCode } from "../exit-codes.ts";
import { readFaultFile } from "./fault-file.ts";
import { askForFaults } from "./local-faults.ts";
import { type DaemonFlags, daemonArguments, daemonSettings, differingFlags } from "./local-settings.ts";
import { reportToLog, runInBackground } from "./run-in-background.ts";

interface StartFlags extends DaemonFlags {
  readonly foreground?: boolean;
  /** Path of a fault file. */
  readonly faults?: string;
}

/** Starts the local cloud, in the background unless it is told otherwise. What is there already is used. */
export async function runLocalStart(flags: StartFlags, context: CliContext): Promise<ExitCode> {
  const settings = daemonSettings(flags, context.environment, false);
  const faults = flags.faults === undefined ? undefined : await readFaultFile(flags.faults);
  using signal = context.abortOnSignals();
  await makeStoreDirectory(settings.storeDirectory);
  const starting = await lockStarting(settings.storeDirectory, signal);
  const release = () => starting[Symbol.asyncDispose]();
  try {
    const running = await runningDaemon(settings.storeDirectory);
    if (running !== undefined) return reuse(running, flags, context);
    if (!flags.foreground) {
      const command = [...context.selfCommand, "local", "serve", ...daemonArguments(settings)];
      const status = await startLocalDaemon(command, settings.storeDirectory);
      if (faults !== undefined) await askForFaults(settings.storeDirectory, faults);
      announce(status, context, "It stays until: amibake local stop");
      return 0;
    }
    await runDaemon({
      settings,
      faults,
      signal,
      onReady(status) {
        void release();
        announce(status, context, "It stays until it is interrupted");
      },
      report: (message, error) => reportToLog(context, message, error),
    });
    // To be interrupted is the way that it ends.
    return 0;
  } finally {
    await release();
  }
}

/** The daemon in the background. */
export function runLocalServe(
  flags: DaemonFlags & { readonly ephemeral?: boolean },
  context: CliContext,
): Promise<ExitCode> {
  const settings = daemonSettings(flags, context.environment, flags.ephemeral ?? false);
  return runInBackground<DaemonStatus>(context, (work) => runDaemon({ settings, ...work }));
}

async function runningDaemon(storeDirectory: string): Promise<DaemonStatus | undefined> {
  await using answer = await askDaemon(storeDirectory, "status", {});
  return answer?.result;
}

function reuse(status: DaemonStatus, flags: StartFlags, context: CliContext): ExitCode {
  const { storeDirectory, isEphemeral } = status.settings;
  const differing = differingFlags(flags, status.settings);
  const hint = `Stop it first: amibake local stop --store ${shellQuote(storeDirectory)}`;
  const cannot = (why: string) => {
    const message = `Cannot start the local cloud of "${storeDirectory}": ${why}`;
    return new ToolError("ERR_STORE_IN_USE", message, { hint, fault: "host" });
  };
  if (isEphemeral) throw cannot(`a build uses it now (process ${status.pid})`);
  if (flags.foreground) throw cannot(`it runs already (process ${status.pid})`);
  if (flags.faults !== undefined) differing.push(`--faults ${flags.faults}`);
  if (differing.length > 0) throw cannot(`it runs already (process ${status.pid}), without ${differing.join(" ")}`);
  announce(status, context, "It was running already");
  return 0;
}

/** The environment on standard output, to be sourced; the rest on standard error. */
function announce({ url, pid, settings, environment }: DaemonStatus, context: CliContext, note: string): void {
  context.stderr.write(`The local cloud of ${settings.storeDirectory} is at ${url} (process ${pid}). ${note}\n`);
  const lines = Object.entries(environment).map(([name, value]) => `export ${name}=${shellQuote(value)}\n`);
  context.stdout.write(lines.join(""));
}
