import { randomInt } from "node:crypto";
import { posix } from "node:path";
import { messageOf, systemCode, ToolError } from "../base/errors.ts";
import { retry } from "../base/retry.ts";
import { shellQuote } from "../base/shell-quote.ts";
import { formatDuration } from "../base/units.ts";
import type { ShellProvisionerConfig } from "../template/schema/shell-provisioner.ts";
import type { ProvisionContext } from "./provision-context.ts";
import { environmentText } from "./shell-environment.ts";
import { ShellProvisionerError } from "./shell-provisioner-error.ts";
import { type ShellScript, shellScripts } from "./shell-scripts.ts";

const LAST_LINES_MAX = 20;
const RETRY_PAUSE_MS = 2000;

/**
 * Runs scripts in the image, one after the other.
 *
 * @throws {ShellProvisionerError} if one ends with an exit code that is not valid; the rest does not run.
 * @throws {ToolError} if one cannot be put there, started or removed.
 */
export async function runShellProvisioner(config: ShellProvisionerConfig, context: ProvisionContext): Promise<void> {
  const scripts = shellScripts(config, context.variables);
  for (const script of scripts) {
    if (scripts.length > 1) context.emit({ type: "message", text: `Running ${script.name}` });
    await runScript(script, config, context);
  }
  if (config.pause_after > 0) {
    context.emit({ type: "message", text: `Waiting ${formatDuration(config.pause_after)} after the scripts` });
    await context.clock.sleep(config.pause_after, context.signal);
  }
}

async function runScript(
  script: ShellScript,
  config: ShellProvisionerConfig,
  context: ProvisionContext,
): Promise<void> {
  const content = await script.read();
  const paths = remotePaths(config);
  const lastLines: string[] = [];
  let exitCode: number;
  try {
    exitCode = await startWithPatience(config, context, async () => {
      const commandLine = await putInPlace(content, paths, config, context);
      return context.communicator.run(commandLine, {
        signal: context.signal,
        onLine: (stream, line) => {
          lastLines.push(line);
          if (lastLines.length > LAST_LINES_MAX) lastLines.shift();
          context.emit({ type: "output", stream, line });
        },
      });
    });
  } catch (error) {
    await tryToClean(paths, config, context);
    throw error;
  }
  if (!config.valid_exit_codes.includes(exitCode)) {
    await tryToClean(paths, config, context);
    throw new ShellProvisionerError(script.name, { exitCode, validExitCodes: config.valid_exit_codes, lastLines });
  }
  await clean(paths, config, context);
}

interface RemotePaths {
  readonly script: string;
  /** Missing without `use_env_var_file`. */
  readonly environment: string | undefined;
}

function remotePaths({
  remote_path,
  remote_folder,
  remote_file,
  use_env_var_file,
}: ShellProvisionerConfig): RemotePaths {
  const number = String(randomInt(1_000_000)).padStart(6, "0");
  return {
    script: remote_path ?? posix.join(remote_folder, remote_file ?? `script_${number}.sh`),
    environment: use_env_var_file ? posix.join(remote_folder, `varfile_${number}.sh`) : undefined,
  };
}

/** @returns the command line that runs the script. */
async function putInPlace(
  content: Uint8Array,
  paths: RemotePaths,
  config: ShellProvisionerConfig,
  { communicator, signal, ...context }: ProvisionContext,
): Promise<string> {
  const environment = environmentText(config, context);
  if (paths.environment !== undefined) {
    // Only its owner may read it: it may hold secrets.
    await communicator.uploadBytes(Buffer.from(environment), paths.environment, { mode: 0o600, signal });
  }
  await communicator.uploadBytes(content, paths.script, { mode: 0o755, signal });
  const words = paths.environment === undefined ? environment : "";
  const commandLine =
    config.execute_command === undefined
      ? defaultCommandLine(paths, words)
      : config.execute_command.render({
          ...context.variables,
          Vars: words,
          Path: paths.script,
          EnvVarFile: paths.environment ?? "",
        });
  checkLength(commandLine);
  return commandLine;
}

// MAX_ARG_STRLEN of Linux, with its final NUL: execve(2), "Limits on size of arguments and environment".
const COMMAND_LINE_BYTES_MAX = 131_071;

function checkLength(commandLine: string): void {
  const lengthBytes = Buffer.byteLength(commandLine);
  if (lengthBytes <= COMMAND_LINE_BYTES_MAX) return;
  const message = `Cannot run a command line of ${lengthBytes} bytes: Linux allows ${COMMAND_LINE_BYTES_MAX}`;
  throw new ToolError("ERR_ENVIRONMENT_VARIABLE", message, { hint: 'Set "use_env_var_file": true' });
}

function defaultCommandLine(paths: RemotePaths, words: string): string {
  const script = shellQuote(paths.script);
  if (paths.environment === undefined) return `chmod +x ${script}; ${words} ${script}`;
  return `chmod +x ${script}; . ${shellQuote(paths.environment)} && ${script}`;
}

// The host is short of something that may come back. All else, such as a full
// disk or a missing directory, is as it is: trying for minutes would only hide it.
const TRANSIENT_CODES = new Set(["EAGAIN", "EBUSY", "EMFILE", "ENFILE", "ENOMEM", "ETXTBSY"]);

function startWithPatience(
  { start_retry_timeout }: ShellProvisionerConfig,
  { signal, emit, clock }: ProvisionContext,
  start: () => Promise<number>,
): Promise<number> {
  return retry(
    start,
    {
      attemptsMax: 1 + Math.floor(start_retry_timeout / RETRY_PAUSE_MS),
      backoffMsFirst: RETRY_PAUSE_MS,
      backoffMsMax: RETRY_PAUSE_MS,
      isTransient,
      onRetry: (attempt, error) => emit({ type: "retry", call: "start the script", attempt, reason: messageOf(error) }),
      clock,
      // All of the pause: nobody else waits for the same thing.
      random: () => 1,
    },
    signal,
  );
}

function isTransient(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (TRANSIENT_CODES.has(systemCode(cause) ?? "")) return true;
  }
  return false;
}

/** Removes what was put in the image. It runs although the build was cancelled. */
async function clean(
  paths: RemotePaths,
  { skip_clean }: ShellProvisionerConfig,
  context: ProvisionContext,
): Promise<void> {
  const files = [
    ...(skip_clean ? [] : [paths.script]),
    ...(paths.environment === undefined ? [] : [paths.environment]),
  ];
  for (const file of files) {
    try {
      await context.communicator.removeFile(file);
    } catch (cause) {
      throw new ToolError("ERR_SCRIPT_CLEAN", `Cannot clean up after the script: ${messageOf(cause)}`, { cause });
    }
  }
}

/** After a failure, which must be what is told in the end. */
async function tryToClean(
  paths: RemotePaths,
  config: ShellProvisionerConfig,
  context: ProvisionContext,
): Promise<void> {
  try {
    await clean(paths, config, context);
  } catch (error) {
    // A cancelled build throws its volume away, and the file with it.
    if (!context.signal.aborted) context.emit({ type: "warning", text: messageOf(error) });
  }
}
