import { stat } from "node:fs/promises";
import { machine as hostMachine } from "node:os";
import { messageOf, ToolError } from "../../base/errors.ts";
import { readElfProgram } from "../../linux/files/elf.ts";
import { resolveInRoot } from "../../linux/files/resolve-in-root.ts";
import { canRun } from "../../linux/sandbox/foreign-programs.ts";
import type { BuildPlan } from "../../template/build-plan.ts";
import { foreignHint, runsScripts } from "../check-architecture.ts";

const SHELL = "/bin/sh";

/**
 * Checks that the image has the shell that runs scripts, if the template has any. Otherwise each of them would fail
 * with an exit code that says nothing.
 *
 * @param rootDirectory the image's root as this process reaches it.
 * @throws {ToolError} that says what is missing.
 */
export async function checkImageShell(plan: BuildPlan, rootDirectory: string): Promise<void> {
  if (!runsScripts(plan)) return;
  const shell = await findInImage(rootDirectory, SHELL);
  if (shell === undefined) throw noShell("it does not exist", WRONG_ROOT_HINT);
  const status = await stat(shell);
  if (!status.isFile()) throw noShell("it is not a file", WRONG_ROOT_HINT);
  if ((status.mode & 0o111) === 0) throw noShell("it is not executable", "Make it so in the source image: chmod 755");
  const program = await readProgram(shell);
  if (program === undefined) return;
  const { machine, interpreter } = program;
  if (!(await canRun(machine))) {
    throw noShell(`it is a program for ${machine}, and this host is ${hostMachine()}`, foreignHint(machine));
  }
  if (interpreter === undefined || (await findInImage(rootDirectory, interpreter)) !== undefined) return;
  throw noShell(
    `it is loaded by "${interpreter}", which does not exist`,
    "Install the C library in the source image: the root file system may be incomplete",
  );
}

// As a rule the partition that was mounted is not the root.
const WRONG_ROOT_HINT =
  "Check that the right partition is mounted (mount_partition); an image without a shell takes file provisioners only";

/** @returns where this process finds it, or `undefined` if it does not exist. */
async function findInImage(rootDirectory: string, path: string): Promise<string | undefined> {
  try {
    const { outsidePath, exists } = await resolveInRoot(rootDirectory, path);
    return exists ? outsidePath : undefined;
  } catch (cause) {
    throw noShell(messageOf(cause), WRONG_ROOT_HINT, cause);
  }
}

async function readProgram(path: string) {
  try {
    return await readElfProgram(path);
  } catch (cause) {
    throw noShell(messageOf(cause), "The file system may be damaged: see dmesg", cause);
  }
}

function noShell(detail: string, hint: string, cause?: unknown): ToolError {
  return new ToolError("ERR_NO_SHELL", `Cannot run scripts with "${SHELL}" of the image: ${detail}`, { hint, cause });
}
