import { mkdir } from "node:fs/promises";
import { messageOf, ToolError } from "../../base/errors.ts";
import { shellQuote } from "../../base/shell-quote.ts";
import { askDaemon } from "../../local-cloud/daemon/control-client.ts";
import { type DaemonStatus, encodeError } from "../../local-cloud/daemon/control-protocol.ts";
import { runDaemon } from "../../local-cloud/daemon/run-daemon.ts";
import { type DaemonLine, startLocalDaemon } from "../../local-cloud/local-client.ts";
import { lockStarting } from "../../local-cloud/store-lock.ts";
import type { CliContext } from "../cli-context.ts";
import type { ExitCode } from "../exit-codes.ts";
import { type DaemonFlags, daemonArguments, daemonSettings, differingFlags } from "./local-settings.ts";

/** Starts the local cloud, in the background unless it is told otherwise. What is there already is used. */
export async function runLocalStart(
  flags: DaemonFlags & { readonly foreground?: boolean },
  context: CliContext,
): Promise<ExitCode> {
  const settings = daemonSettings(flags, context.environment, false);
  using signal = context.abortOnSignals();
  await mkdir(settings.storeDirectory, { recursive: true, mode: 0o700 });
  const starting = await lockStarting(settings.storeDirectory, signal);
  const release = () => starting[Symbol.asyncDispose]();
  try {
    const running = await runningDaemon(settings.storeDirectory);
    if (running !== undefined) return reuse(running, flags, context);
    if (!flags.foreground) {
      const command = [...context.selfCommand, "local", "serve", ...daemonArguments(settings)];
      const status = await startLocalDaemon(command, settings.storeDirectory);
      announce(status, context, "It stays until: amibake local stop");
      return 0;
    }
    await runDaemon({
      settings,
      signal,
      onReady(status) {
        void release();
        announce(status, context, "It stays until it is interrupted");
      },
      report: (message, error) => report(context, message, error),
    });
    // To be interrupted is the way that it ends.
    return 0;
  } finally {
    await release();
  }
}

/** The daemon in the background: says one line to whoever waits for it, then only what goes into its log. */
export async function runLocalServe(
  flags: DaemonFlags & { readonly ephemeral?: boolean },
  context: CliContext,
): Promise<ExitCode> {
  using signal = context.abortOnSignals();
  const say = (line: DaemonLine) => void context.stdout.write(`${JSON.stringify(line)}\n`);
  try {
    await runDaemon({
      settings: daemonSettings(flags, context.environment, flags.ephemeral ?? false),
      signal,
      onReady: (ready) => say({ ready }),
      report: (message, error) => report(context, message, error),
    });
    return 0;
  } catch (error) {
    say({ error: encodeError(error) });
    throw error;
  }
}

async function runningDaemon(storeDirectory: string): Promise<DaemonStatus | undefined> {
  await using answer = await askDaemon(storeDirectory, "status", {});
  return answer?.result;
}

function reuse(status: DaemonStatus, flags: DaemonFlags & { foreground?: boolean }, context: CliContext): ExitCode {
  const { storeDirectory, isEphemeral } = status.settings;
  const differing = differingFlags(flags, status.settings);
  const hint = `Stop it first: amibake local stop --store ${shellQuote(storeDirectory)}`;
  const cannot = (why: string) => {
    const message = `Cannot start the local cloud of "${storeDirectory}": ${why}`;
    return new ToolError("ERR_STORE_IN_USE", message, { hint, fault: "host" });
  };
  if (isEphemeral) throw cannot(`a build uses it now (process ${status.pid})`);
  if (flags.foreground) throw cannot(`it runs already (process ${status.pid})`);
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

function report(context: CliContext, message: string, error?: unknown): void {
  const why = error === undefined || message.includes(messageOf(error)) ? "" : `: ${messageOf(error)}`;
  context.stderr.write(`${new Date().toISOString()} ${message}${why}\n`);
}
