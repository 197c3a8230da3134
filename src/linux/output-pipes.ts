import { closeSync, fchmodSync } from "node:fs";
import { Socket } from "node:net";
import { constants } from "node:os";
import type { Readable, Writable } from "node:stream";
import { ToolError } from "../base/errors.ts";

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

// pipe2(2)
const O_CLOEXEC = 0o2000000;

/** @returns 0, or -1 if it failed. */
type Pipe2 = (ends: number[], flags: number) => number;

let loading: Promise<{ pipe2: Pipe2; errno: () => number }> | undefined;

/**
 * Makes two pipes that a command can open again by name.
 *
 * What Node calls a pipe is a socket, and Linux opens no socket by name: scripts that write to /dev/stderr, as many
 * do, fail with "No such device or address". These are the kernel's own, and nothing of them is on a disk.
 */
export async function openOutputPipes(): Promise<OutputPipes> {
  loading ??= loadPipe2();
  const { pipe2, errno } = await loading;
  const output = makePipe(pipe2, errno);
  let errors: PipeEnds;
  try {
    errors = makePipe(pipe2, errno);
  } catch (error) {
    closeSync(output.readFd);
    closeSync(output.writeFd);
    throw error;
  }
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

/** What a command reads. */
export interface InputPipe {
  /** For the command. The caller closes it, once the command has its own. */
  readonly fd: number;
  readonly stream: Writable;
}

export async function openInputPipe(): Promise<InputPipe> {
  loading ??= loadPipe2();
  const { pipe2, errno } = await loading;
  const { readFd, writeFd } = makePipe(pipe2, errno);
  return { fd: readFd, stream: new Socket({ fd: writeFd, readable: false, writable: true }) };
}

function makePipe(pipe2: Pipe2, errno: () => number): PipeEnds {
  const ends = [-1, -1];
  if (pipe2(ends, O_CLOEXEC) !== 0) throw pipeError(errno());
  const [readFd = -1, writeFd = -1] = ends;
  // Whoever a script becomes (`su`, `sudo -u`) may open it to write too.
  fchmodSync(writeFd, 0o622);
  return { readFd, writeFd };
}

function pipeError(code: number): ToolError {
  const name = Object.entries(constants.errno).find(([, value]) => value === code)?.[0] ?? `error ${code}`;
  return new ToolError("ERR_PIPE", `Cannot make a pipe for a command's output: ${name}`, {
    hint: "Let amibake have more files open at once: ulimit -n 65536",
    fault: "host",
  });
}

async function loadPipe2(): Promise<{ pipe2: Pipe2; errno: () => number }> {
  // Loaded when first needed: a native module, and most commands do without.
  const { default: koffi } = await import("koffi");
  const pipe2: Pipe2 = koffi.load(null).func("int pipe2(_Out_ int *ends, int flags)");
  return { pipe2, errno: () => koffi.errno() };
}
