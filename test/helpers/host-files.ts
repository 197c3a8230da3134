// The host's own files, as an image that attacks would like to change them.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "../../src/linux/run-command.ts";

// Deeper below /root are a developer's tools, hundreds of thousands of files.
const WATCHED = ["/etc", "/usr/bin", "/root -maxdepth 3"];
// Other programs write there at any time.
const BUSY = ["/root/.npm", "/root/.cache", "/root/.claude"];

export interface HostFiles {
  /** What is not as it was; ends the watch. */
  changes(): Promise<string>;
}

/**
 * Watches mode, owner, size, times and link target of everything in /etc, /usr/bin and the first levels of /root, and the
 * SHA-256 of each file in /etc and /usr/bin: those in /root may be gigabytes, and the time of their last change tells as much.
 *
 * The lists are files, not in memory: they may be long, and each process that a large one starts is a copy of it at first.
 */
export async function watchHostFiles(): Promise<HostFiles> {
  const directory = await mkdtemp(join(tmpdir(), "host-files-"));
  const before = join(directory, "before");
  await listHostFiles(before);
  return {
    async changes() {
      try {
        const after = join(directory, "after");
        await listHostFiles(after);
        const { stdout } = await runCommand([
          "/bin/sh",
          "-c",
          'cmp --silent "$0" "$1" || diff "$0" "$1" | head -n 100',
          before,
          after,
        ]);
        return stdout.toString();
      } finally {
        await rm(directory, { recursive: true });
      }
    },
  };
}

// The lists go from one program to the other, and not through this process.
const BUT_BUSY = `-xdev '(' ${BUSY.map((path) => `-path ${path}`).join(" -o ")} ')' -prune -o`;
const LIST_SCRIPT = `
{ ${WATCHED.map((paths) => `find ${paths} ${BUT_BUSY} -printf '%p %y %m %U:%G %s %T@ %C@ %l\\n'`).join(" && ")}; } >"$0" &&
find /etc /usr/bin -xdev -type f -exec sha256sum {} + >>"$0"`;

async function listHostFiles(list: string): Promise<void> {
  await runCommand(["/bin/sh", "-c", LIST_SCRIPT, list]);
}
