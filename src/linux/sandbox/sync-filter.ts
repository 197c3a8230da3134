// A seccomp filter as the kernel takes it: an array of `struct sock_filter` for classic BPF, which looks at
// `struct seccomp_data` (seccomp(2)). Both are in the byte order of the machine, little-endian on all of these.

/** The system calls of one ABI that wait for a disk. */
interface AbiCalls {
  /** AUDIT_ARCH_… of linux/audit.h: which table a number is of. */
  readonly auditArch: number;
  /** Taken off a number first: x32's are x86-64's with one bit set. */
  readonly numberMask?: number;
  /** fsync, fdatasync, sync, syncfs, and sync_file_range or sync_file_range2. */
  readonly flushing: readonly number[];
  readonly msync: number;
}

// Numbers: arch/x86/entry/syscalls/syscall_{64,32}.tbl, include/uapi/asm-generic/unistd.h, arch/arm/tools/syscall.tbl.
// A 64-bit kernel runs 32-bit programs too, whose numbers mean something else: x86-64's fsync is i386's sethostname.
const X86_64: AbiCalls = {
  auditArch: 0xc000003e,
  numberMask: 0xbfff_ffff,
  flushing: [74, 75, 162, 306, 277],
  msync: 26,
};
const I386: AbiCalls = { auditArch: 0x40000003, flushing: [118, 148, 36, 344, 314], msync: 144 };
const AARCH64: AbiCalls = { auditArch: 0xc00000b7, flushing: [82, 83, 81, 267, 84], msync: 227 };
const ARM: AbiCalls = { auditArch: 0x40000028, flushing: [118, 148, 36, 373, 341], msync: 144 };

/** By Node's name of the architecture. */
const ABIS: Readonly<Record<string, readonly AbiCalls[]>> = { x64: [X86_64, I386], arm64: [AARCH64, ARM] };

// linux/bpf_common.h, linux/seccomp.h, asm/mman.h
const LOAD_WORD = 0x20;
const AND = 0x54;
const JUMP_IF_EQUAL = 0x15;
const JUMP_IF_BITS = 0x45;
const RETURN = 0x06;
const RETURN_ERRNO_0 = 0x0005_0000;
const RETURN_ALLOW = 0x7fff_0000;
const MS_SYNC = 4;

// Places in struct seccomp_data: `int nr; __u32 arch; __u64 instruction_pointer; __u64 args[6];`
const NUMBER = 0;
const ARCH = 4;
/** The low half of the third argument: msync's flags, an int. */
const THIRD_ARGUMENT = 32;

type Target = "next" | "next abi" | "msync" | "done" | "allow";

interface Instruction {
  readonly code: number;
  readonly value: number;
  /** Where a comparison goes on if it holds, and if not. */
  readonly ifTrue?: Target;
  readonly ifFalse?: Target;
  /** The place that this instruction is. */
  readonly label?: Target;
}

/**
 * A seccomp filter that lets fsync, fdatasync, sync, syncfs, msync and sync_file_range return 0 at once, and all else
 * happen as ever, for programs of every ABI of a machine.
 *
 * msync with MS_ASYNC goes on to the kernel: it writes nothing, and some programs (libunwind) ask with it whether
 * memory is there.
 *
 * @param architecture as in `process.arch`.
 * @returns `undefined` for an architecture that it has no numbers of.
 */
export function syncFilter(architecture: string): Buffer | undefined {
  const abis = ABIS[architecture];
  if (abis === undefined) return undefined;
  return assemble([
    { code: LOAD_WORD, value: ARCH },
    ...abis.flatMap(abiInstructions),
    { code: RETURN, value: RETURN_ALLOW, label: "next abi" },
    { code: LOAD_WORD, value: THIRD_ARGUMENT, label: "msync" },
    { code: JUMP_IF_BITS, value: MS_SYNC, ifTrue: "done", ifFalse: "allow" },
    { code: RETURN, value: RETURN_ERRNO_0, label: "done" },
    { code: RETURN, value: RETURN_ALLOW, label: "allow" },
  ]);
}

function abiInstructions({ auditArch, numberMask, flushing, msync }: AbiCalls): Instruction[] {
  return [
    { code: JUMP_IF_EQUAL, value: auditArch, ifFalse: "next abi", label: "next abi" },
    { code: LOAD_WORD, value: NUMBER },
    ...(numberMask === undefined ? [] : [{ code: AND, value: numberMask }]),
    ...flushing.map((value): Instruction => ({ code: JUMP_IF_EQUAL, value, ifTrue: "done" })),
    { code: JUMP_IF_EQUAL, value: msync, ifTrue: "msync", ifFalse: "allow" },
  ];
}

const INSTRUCTION_BYTES = 8;

function assemble(instructions: readonly Instruction[]): Buffer {
  const program = Buffer.alloc(instructions.length * INSTRUCTION_BYTES);
  for (const [index, { code, value, ifTrue = "next", ifFalse = "next" }] of instructions.entries()) {
    // How many instructions to skip: BPF only jumps forward, and counts from the next one.
    const skip = (target: Target): number =>
      target === "next"
        ? 0
        : instructions.findIndex(({ label }, place) => place > index && label === target) - index - 1;
    program.writeUInt16LE(code, index * INSTRUCTION_BYTES);
    program.writeUInt8(skip(ifTrue), index * INSTRUCTION_BYTES + 2);
    program.writeUInt8(skip(ifFalse), index * INSTRUCTION_BYTES + 3);
    program.writeUInt32LE(value, index * INSTRUCTION_BYTES + 4);
  }
  return program;
}
