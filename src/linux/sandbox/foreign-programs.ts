// Which programs this host's kernel can start.
import { readdir, readFile } from "node:fs/promises";
import { machine as hostMachine } from "node:os";
import { join } from "node:path";

const BINFMT_DIRECTORY = "/proc/sys/fs/binfmt_misc";

/** Whether the kernel runs programs of a machine, by itself or with an interpreter that also works in a chroot. */
export async function canRun(
  machine: string,
  host: { readonly machine?: string; readonly binfmtDirectory?: string } = {},
): Promise<boolean> {
  const own = host.machine ?? hostMachine();
  if (machine === own || (own === "x86_64" && machine === "i386")) return true;
  const magic = ELF_MAGICS[machine];
  if (magic === undefined) return false;
  for (const entry of await readEntries(host.binfmtDirectory ?? BINFMT_DIRECTORY)) {
    if (matches(entry, magic)) return true;
  }
  return false;
}

/** The first 20 bytes of a program: 64 bits, little-endian, an executable, e_machine (elf(5)). */
function elfMagic(isWide: boolean, machine: number): Buffer {
  const head = Buffer.alloc(20);
  head.write("\x7fELF", "latin1");
  head.set([isWide ? 2 : 1, 1, 1], 4);
  head.writeUInt16LE(2, 16);
  head.writeUInt16LE(machine, 18);
  return head;
}

const ELF_MAGICS: Readonly<Record<string, Buffer>> = {
  i386: elfMagic(false, 3),
  arm: elfMagic(false, 40),
  x86_64: elfMagic(true, 62),
  aarch64: elfMagic(true, 183),
  riscv64: elfMagic(true, 243),
};

async function readEntries(directory: string): Promise<string[]> {
  // Empty where it is not mounted.
  const names = (await readdir(directory).catch(() => [])).filter((name) => name !== "register" && name !== "status");
  return Promise.all(names.map((name) => readFile(join(directory, name), "utf8").catch(() => "")));
}

/** kernel.org/doc/html/latest/admin-guide/binfmt-misc.html */
function matches(entry: string, head: Buffer): boolean {
  const field = (name: string): string => new RegExp(`^${name}:? ?(.*)$`, "m").exec(entry)?.[1] ?? "";
  // F: the interpreter was opened when it was registered. Without it, it would be looked for in the image.
  if (!entry.startsWith("enabled") || !field("flags").includes("F")) return false;
  const magic = Buffer.from(field("magic"), "hex");
  const mask = Buffer.from(field("mask"), "hex");
  const offset = Number(field("offset") || 0);
  if (magic.length === 0) return false;
  return magic.every((byte, index) => {
    const bits = mask[index] ?? 0xff;
    return ((head[offset + index] ?? 0) & bits) === (byte & bits);
  });
}
