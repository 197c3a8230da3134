import { chmod, copyFile, mkdir, realpath, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { runCommand } from "../../src/linux/run-command.ts";

// busybox has no nohup, and its start-stop-daemon ignores --retry: these are the real ones.
const HOST_PROGRAMS = { sh: "/bin/sh", bash: "/bin/bash", nohup: "/usr/bin/nohup", ssd: "/sbin/start-stop-daemon" };
const BUSYBOX = "/bin/busybox";
const MERGED = ["bin", "sbin", "lib", "lib64"];
const DIRECTORIES = ["boot", "dev", "home", "mnt", "proc", "root", "run", "sys", "var/log", "var/tmp", "tmp", "opt"];

const PASSWD = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
const GROUP = "root:x:0:\nnogroup:x:65534:\n";
const OS_RELEASE = 'ID=amibake-test\nNAME="amibake test image"\nVERSION_ID=1\n';

/** Host files that a root tree is made of. */
export async function hostPrograms(): Promise<readonly string[]> {
  const programs = [BUSYBOX, ...Object.values(HOST_PROGRAMS)];
  return Promise.all(programs.map((program) => realpath(program)));
}

/**
 * Makes a root directory with merged /usr as Debian's: busybox for nearly everything, and the
 * host's own shell, bash, nohup and start-stop-daemon with the libraries they load.
 */
export async function makeRootTree(root: string, layout: string): Promise<void> {
  for (const name of MERGED) await mkdir(path.join(root, "usr", name), { recursive: true });
  for (const name of MERGED) await symlink(`usr/${name}`, path.join(root, name));
  for (const name of [...DIRECTORIES, "etc"]) await mkdir(path.join(root, name), { recursive: true });
  for (const name of ["tmp", "var/tmp"]) await chmod(path.join(root, name), 0o1777);
  await chmod(path.join(root, "root"), 0o700);
  await installBusybox(root);
  await installProgram(root, { from: HOST_PROGRAMS.sh, to: "usr/bin/sh" });
  await installProgram(root, { from: HOST_PROGRAMS.bash, to: "usr/bin/bash" });
  await installProgram(root, { from: HOST_PROGRAMS.nohup, to: "usr/bin/nohup" });
  await installProgram(root, { from: HOST_PROGRAMS.ssd, to: "usr/sbin/start-stop-daemon" });
  const files = {
    passwd: PASSWD,
    group: GROUP,
    "os-release": OS_RELEASE,
    hostname: "tiny\n",
    "resolv.conf": "# the image's own\nnameserver 192.0.2.53\n",
    "amibake-test-layout": `${layout}\n`,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(root, "etc", name), text);
}

async function installBusybox(root: string): Promise<void> {
  await copyFile(await busyboxPath(), path.join(root, "usr/bin/busybox"));
  const { stdout } = await runCommand([BUSYBOX, "--list-full"]);
  const applets = stdout.toString().split("\n").filter(Boolean);
  const own = new Set(["sh", "bash", "nohup", "start-stop-daemon", "busybox"]);
  for (const applet of applets) {
    const name = path.basename(applet);
    if (own.has(name)) continue;
    const isSystem = path.basename(path.dirname(applet)) === "sbin";
    const link = path.join(root, isSystem ? "usr/sbin" : "usr/bin", name);
    await symlink(isSystem ? "../bin/busybox" : "busybox", link);
  }
}

async function busyboxPath(): Promise<string> {
  const linked = await linkedLibraries(BUSYBOX).catch(() => "static");
  if (linked.includes("=>")) {
    throw new Error(`Cannot use "${BUSYBOX}": it is not static. Install the Debian package busybox-static`);
  }
  return BUSYBOX;
}

/** Copies a program, under the name that the image calls it, and the libraries that it loads. */
export async function installProgram(root: string, options: { from: string; to: string }): Promise<void> {
  const target = path.join(root, options.to);
  // It may be a link to busybox.
  await rm(target, { force: true });
  await copyFile(await realpath(options.from), target);
  await chmod(target, 0o755);
  const libraries = (await linkedLibraries(options.from)).match(/\/\S+/g) ?? [];
  for (const library of libraries) {
    // Through the merged links: /lib/x86_64-linux-gnu/libc.so.6 lands below usr/lib.
    const inImage = library.startsWith("/usr/") ? library : `/usr${library}`;
    await mkdir(path.join(root, path.dirname(inImage)), { recursive: true });
    await copyFile(await realpath(library), path.join(root, inImage));
  }
}

// A test file may make many trees of the same programs.
const printedOf = new Map<string, Promise<string>>();

/** What `ldd` prints of a program of this host. */
function linkedLibraries(program: string): Promise<string> {
  const known = printedOf.get(program) ?? runCommand(["ldd", program]).then(({ stdout }) => stdout.toString());
  printedOf.set(program, known);
  return known;
}
