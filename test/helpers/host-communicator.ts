import { chmod, cp, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { runToExit } from "../../src/linux/run-command.ts";
import type { Communicator } from "../../src/provision/communicator.ts";

export interface HostCommunicator extends Communicator, AsyncDisposable {
  /** Where everything must happen: "the image". */
  readonly directory: string;
  /** Every command line, in the order in which they ran. */
  readonly commandLines: readonly string[];
}

/**
 * A communicator whose image is a directory of this host, and whose commands run
 * on this host with its real /bin/sh. It refuses to write anywhere else.
 */
export async function openHostCommunicator(): Promise<HostCommunicator> {
  const directory = await mkdtemp(join(tmpdir(), "amibake-provision-"));
  const commandLines: string[] = [];
  const inside = (path: string): string => {
    if (!resolve(path).startsWith(`${directory}/`)) throw new Error(`"${path}" is outside of "${directory}"`);
    return path;
  };
  const isDirectory = async (path: string): Promise<boolean> => {
    try {
      return (await stat(path)).isDirectory();
    } catch {
      return false;
    }
  };
  const copyTree = async (source: string, target: string): Promise<void> => {
    await cp(source, source.endsWith("/") ? target : join(target, basename(source)), { recursive: true });
  };
  return {
    directory,
    commandLines,
    async run(commandLine, { signal, onLine }) {
      commandLines.push(commandLine);
      const result = await runToExit(["/bin/sh", "-c", commandLine], { signal, onLine, cwd: directory });
      return result.exitCode;
    },
    async uploadBytes(content, target, { mode }) {
      await mkdir(dirname(inside(target)), { recursive: true });
      await writeFile(target, content);
      if (mode !== undefined) await chmod(target, mode);
    },
    async uploadFile(source, target) {
      const intoDirectory = target.endsWith("/") || (await isDirectory(target));
      await cp(source, inside(intoDirectory ? join(target, basename(source)) : target));
    },
    uploadDirectory: (source, target) => copyTree(source, inside(target)),
    downloadFile: (source, target) => cp(inside(source), target),
    downloadDirectory: (source, target) => copyTree(inside(source), target),
    removeFile: (path) => rm(inside(path), { force: true }),
    isDirectory,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
