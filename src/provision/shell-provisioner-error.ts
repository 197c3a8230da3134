import { ToolError } from "../base/errors.ts";

/** A script that ended with an exit code that does not mean success. */
export class ShellProvisionerError extends ToolError {
  override readonly name = "ShellProvisionerError";
  /** The message without the last lines. */
  readonly summary: string;
  /** The path of the script on this host, or "inline". */
  readonly script: string;
  readonly exitCode: number;
  /** At most 20, of both streams as they came. */
  readonly lastLines: readonly string[];

  constructor(
    script: string,
    {
      exitCode,
      validExitCodes,
      lastLines,
    }: { exitCode: number; validExitCodes: readonly number[]; lastLines: readonly string[] },
  ) {
    const what = script === "inline" ? "the inline script" : `the script "${script}"`;
    const isUsual = validExitCodes.length === 1 && validExitCodes[0] === 0;
    const allowed = isUsual ? "" : `, allowed are ${validExitCodes.join(", ")}`;
    const tail = lastLines.length === 0 ? "; it printed nothing" : `; its last lines:\n${indented(lastLines)}`;
    const summary = `Cannot finish ${what}: exit code is ${exitCode}${allowed}`;
    super("ERR_SCRIPT_FAILED", `${summary}${tail}`, { hint: hintFor(exitCode, lastLines) });
    this.summary = summary;
    this.script = script;
    this.exitCode = exitCode;
    this.lastLines = lastLines;
  }
}

// What shells and kernels mean by them: POSIX, "Exit Status for Commands", and 128 + SIGKILL.
const HINTS: Readonly<Record<number, string>> = {
  126: 'The script could not be executed: see its first line ("#!"), and set remote_folder if /tmp is mounted noexec',
  127: "A command was not found in the image: see the lines above, and the script's first line",
  137: "The script was killed (SIGKILL): this host may have been out of memory, see dmesg",
};

function hintFor(exitCode: number, lastLines: readonly string[]): string | undefined {
  // sudo's words, where an ordinary user of the image calls it.
  if (lastLines.some((line) => line.includes('"no new privileges" flag'))) return NO_NEW_PRIVILEGES_HINT;
  return HINTS[exitCode];
}

const NO_NEW_PRIVILEGES_HINT =
  'Set "suppress_sync": false in the builder: with it, only root can use sudo in the image';

function indented(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`).join("\n");
}
