import { open } from "node:fs/promises";

/** What a program says about what it needs to run. */
export interface ElfProgram {
  /** As the kernel names it: "x86_64", "aarch64"; "machine 8" for one that is not known here. */
  readonly machine: string;
  /** The program that loads its libraries. Missing for a static one. */
  readonly interpreter: string | undefined;
}

// e_machine, from <linux/elf-em.h>.
const MACHINES: Readonly<Record<number, string>> = {
  3: "i386",
  40: "arm",
  62: "x86_64",
  183: "aarch64",
  21: "ppc64le",
  22: "s390x",
  243: "riscv64",
};

const HEAD_BYTES = 4096;
const PT_INTERP = 3;

/**
 * Reads the header of an ELF program. Its layout: elf(5).
 *
 * @returns `undefined` if the file is none.
 */
export async function readElfProgram(path: string): Promise<ElfProgram | undefined> {
  await using file = await open(path, "r");
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
  return parseElfProgram(buffer.subarray(0, bytesRead));
}

/** @param head the first 4 KiB, in which linkers put everything that is looked for. */
export function parseElfProgram(head: Buffer): ElfProgram | undefined {
  if (head.toString("latin1", 0, 4) !== "\x7fELF" || head.length < 64) return undefined;
  // Only little-endian machines run Linux on EC2.
  if (head[5] !== 1) return { machine: "big-endian", interpreter: undefined };
  const machine = head.readUInt16LE(18);
  return { machine: MACHINES[machine] ?? `machine ${machine}`, interpreter: interpreterOf(head) };
}

function interpreterOf(head: Buffer): string | undefined {
  const is64Bit = head[4] === 2;
  const tableOffset = is64Bit ? Number(head.readBigUInt64LE(32)) : head.readUInt32LE(28);
  const entryBytes = head.readUInt16LE(is64Bit ? 54 : 42);
  const entryCount = head.readUInt16LE(is64Bit ? 56 : 44);
  for (let index = 0; index < entryCount; index++) {
    const entry = tableOffset + index * entryBytes;
    if (entryBytes < 32 || entry + entryBytes > head.length) return undefined;
    if (head.readUInt32LE(entry) !== PT_INTERP) continue;
    const offset = is64Bit ? Number(head.readBigUInt64LE(entry + 8)) : head.readUInt32LE(entry + 4);
    const end = head.indexOf(0, offset);
    return offset < head.length && end !== -1 ? head.toString("utf8", offset, end) : undefined;
  }
  return undefined;
}
