import { readlink, stat } from "node:fs/promises";
import { runToExit } from "../run-command.ts";

/**
 * Whether this process runs in a chroot that is not the root of its mount namespace.
 *
 * Entering a mount namespace ends at that one's root: a command that is to run in a build's sandbox would find itself
 * outside the chroot, among other programs and without the image.
 */
export async function isInPlainChroot(): Promise<boolean> {
  if (await sharesRootWithInit()) return false;
  const argv = ["nsenter", "--mount=/proc/self/ns/mnt", "--", "stat", "--format=%d:%i", "/"];
  const { exitCode, stdout } = await runToExit(argv);
  // Not found or not executable: another root, that does not even have the program (nsenter(1)).
  if (exitCode === 126 || exitCode === 127) return true;
  // Not allowed to: another check tells.
  if (exitCode !== 0) return false;
  const { dev, ino } = await stat("/");
  return stdout.toString().trim() !== `${dev}:${ino}`;
}

/** The usual case, seen without starting anything. */
async function sharesRootWithInit(): Promise<boolean> {
  const paths = ["/proc/1", "/proc/self"];
  try {
    const [initNamespace, ownNamespace] = await Promise.all(paths.map((path) => readlink(`${path}/ns/mnt`)));
    const [initRoot, ownRoot] = await Promise.all(paths.map((path) => stat(`${path}/root/`)));
    return initNamespace === ownNamespace && initRoot?.dev === ownRoot?.dev && initRoot?.ino === ownRoot?.ino;
  } catch {
    // No /proc, or no leave to look.
    return false;
  }
}
