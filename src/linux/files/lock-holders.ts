import { readdir, readFile, readlink, realpath } from "node:fs/promises";

/**
 * Who holds a lock of flock(2) on a file.
 *
 * @returns one line each for people: `process 812 (packer build web.json)`. Empty if none is found.
 */
export async function findLockHolders(path: string): Promise<string[]> {
  const target = await realpath(path);
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const holders = await Promise.all(
    // Whatever cannot be looked at has ended meanwhile.
    pids.map(async (pid) => ((await holdsLock(pid, target).catch(() => false)) ? [await describe(pid)] : [])),
  );
  return holders.flat();
}

async function holdsLock(pid: string, target: string): Promise<boolean> {
  for (const descriptor of await readdir(`/proc/${pid}/fd`)) {
    const opened = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => "");
    if (opened !== target) continue;
    // Only the locks of this very opening are listed (proc(5), "/proc/pid/fdinfo").
    const text = await readFile(`/proc/${pid}/fdinfo/${descriptor}`, "utf8");
    if (/^lock:.*FLOCK/m.test(text)) return true;
  }
  return false;
}

async function describe(pid: string): Promise<string> {
  const text = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return `process ${pid} (${text.replaceAll("\0", " ").trim().slice(0, 80)})`;
}
