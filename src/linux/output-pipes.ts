import { closeSync, constants, open } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { AsyncDisposableStack } from "../base/async-disposable-stack.ts";

const openFile = promisify(open);

/** What a command writes to, and where it is read. */
export interface OutputPipes {
  /** Descriptors for the command. */
  readonly stdoutFd: number;
  readonly stderrFd: number;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Closes our copies of the descriptors, once the command has its own: the streams then end with the command. */
  closeDescriptors(): void;
  /** Closes everything, where no command came of it. */
  destroy(): void;
}

interface PipeEnds {
  readonly readFd: number;
  readonly writeFd: number;
}

// A provisioner runs a handful of commands, and making the names is a process each time.
const PIPES_AT_ONCE = 8;

/** Made and not used yet. They are open, nameless and close-on-exec: the end of this process is their end too. */
const spare: PipeEnds[] = [];

/**
 * Makes two pipes that a command can open again by name.
 *
 * What Node calls a pipe is a socket, and Linux opens no socket by name: scripts that write to /dev/stderr, as many
 * do, fail with "No such device or address". Node cannot call pipe(2), so these are named for a moment.
 *
 * @param makeFifos runs mkfifo(1).
 */
export async function openOutputPipes(makeFifos: (argv: readonly string[]) => Promise<unknown>): Promise<OutputPipes> {
  if (spare.length < 2) spare.push(...(await makePipes(makeFifos)));
  const [output, errors] = spare.splice(0, 2);
  if (output === undefined || errors === undefined) throw new RangeError("Cannot take two pipes of none");
  // These own the reading ends from here on.
  const stdout = new Socket({ fd: output.readFd, readable: true, writable: false });
  const stderr = new Socket({ fd: errors.readFd, readable: true, writable: false });
  const closeDescriptors = () => {
    closeSync(output.writeFd);
    closeSync(errors.writeFd);
  };
  const destroy = () => {
    closeDescriptors();
    stdout.destroy();
    stderr.destroy();
  };
  return { stdoutFd: output.writeFd, stderrFd: errors.writeFd, stdout, stderr, closeDescriptors, destroy };
}

async function makePipes(makeFifos: (argv: readonly string[]) => Promise<unknown>): Promise<PipeEnds[]> {
  const directory = await mkdtemp(join(tmpdir(), "amibake-output-"));
  try {
    const paths = Array.from({ length: PIPES_AT_ONCE }, (_, index) => join(directory, String(index)));
    // Whoever a script becomes (`su`, `sudo -u`) may open them too; their directory is ours alone.
    await makeFifos(["mkfifo", "--mode=622", ...paths]);
    await using undo = new AsyncDisposableStack();
    const pipes: PipeEnds[] = [];
    for (const path of paths) pipes.push(await openBothEnds(path, undo));
    undo.move();
    return pipes;
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function openBothEnds(path: string, undo: AsyncDisposableStack): Promise<PipeEnds> {
  // The reading end first and without waiting for the other: each would else wait for ever.
  const readFd = await openFile(path, constants.O_RDONLY | constants.O_NONBLOCK);
  undo.defer(() => closeSync(readFd));
  const writeFd = await openFile(path, constants.O_WRONLY);
  undo.defer(() => closeSync(writeFd));
  return { readFd, writeFd };
}
