import assert from "node:assert/strict";
import { test } from "node:test";
import { syncFilter } from "./sync-filter.ts";

interface SystemCall {
  readonly auditArch: number;
  readonly number: number;
  readonly args?: readonly bigint[];
}

const ALLOW = 0x7fff_0000;
/** SECCOMP_RET_ERRNO with errno 0: the call returns 0 and does nothing. */
const RETURN_0 = 0x0005_0000;

/** What the kernel does with the instructions that a filter of ours may have; any other one is an error. */
function runFilter(program: Buffer, { auditArch, number, args = [] }: SystemCall): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(number, 0);
  data.writeUInt32LE(auditArch, 4);
  for (const [index, arg] of args.entries()) data.writeBigUInt64LE(arg, 16 + 8 * index);
  let accumulator = 0;
  for (let index = 0; ; index++) {
    assert.ok((index + 1) * 8 <= program.byteLength, "it runs over the end of the program");
    const code = program.readUInt16LE(index * 8);
    const [ifTrue, ifFalse] = [program.readUInt8(index * 8 + 2), program.readUInt8(index * 8 + 3)];
    const value = program.readUInt32LE(index * 8 + 4);
    if (code === 0x20) accumulator = data.readUInt32LE(value);
    else if (code === 0x54) accumulator = (accumulator & value) >>> 0;
    else if (code === 0x15) index += accumulator === value ? ifTrue : ifFalse;
    else if (code === 0x45) index += (accumulator & value) !== 0 ? ifTrue : ifFalse;
    else if (code === 0x06) return value;
    else assert.fail(`unknown instruction ${code}`);
  }
}

// Written down anew, from the kernel's tables: the order is fsync, fdatasync, sync, syncfs, sync_file_range(2), msync.
const X86_64 = 0xc000003e;
const I386 = 0x40000003;
const AARCH64 = 0xc00000b7;
const ARM = 0x40000028;
const CALLS: readonly [arch: string, abi: string, auditArch: number, numbers: readonly number[]][] = [
  ["x64", "x86-64", X86_64, [74, 75, 162, 306, 277, 26]],
  ["x64", "x32", X86_64, [74, 75, 162, 306, 277, 26].map((number) => number + 0x4000_0000)],
  ["x64", "i386", I386, [118, 148, 36, 344, 314, 144]],
  ["arm64", "arm64", AARCH64, [82, 83, 81, 267, 84, 227]],
  ["arm64", "arm", ARM, [118, 148, 36, 373, 341, 144]],
];
const NUMBERS_MAX = 500;
const MS_ASYNC = 1n;
const MS_SYNC = 4n;

for (const [arch, abi, auditArch, numbers] of CALLS) {
  test(`syncFilter() answers exactly the flushing calls of ${abi} programs on ${arch}`, () => {
    const program = syncFilter(arch);
    assert.ok(program !== undefined);
    const base = abi === "x32" ? 0x4000_0000 : 0;
    const answered: number[] = [];
    for (let number = base; number < base + NUMBERS_MAX; number++) {
      const verdict = runFilter(program, { auditArch, number, args: [0n, 0n, MS_SYNC] });
      assert.ok(verdict === ALLOW || verdict === RETURN_0);
      if (verdict === RETURN_0) answered.push(number);
    }
    assert.deepEqual(
      answered,
      [...numbers].sort((a, b) => a - b),
    );
    // A tracer skips a call with -1.
    assert.equal(runFilter(program, { auditArch, number: 0xffff_ffff }), ALLOW);
    const msync = numbers.at(-1) ?? 0;
    assert.equal(runFilter(program, { auditArch, number: msync, args: [0n, 0n, MS_ASYNC] }), ALLOW);
    assert.equal(runFilter(program, { auditArch, number: msync, args: [0n, 0n, MS_SYNC | 2n] }), RETURN_0);
  });
}

test("syncFilter() lets every call of an ABI pass that it does not know", () => {
  const foreign = { x64: [AARCH64, ARM, 0xc000_00f3, 0], arm64: [X86_64, I386, 0xc000_00f3, 0] };
  for (const [arch, auditArchs] of Object.entries(foreign)) {
    const program = syncFilter(arch);
    assert.ok(program !== undefined);
    for (const auditArch of auditArchs) {
      for (let number = 0; number < NUMBERS_MAX; number++) {
        assert.equal(runFilter(program, { auditArch, number, args: [0n, 0n, MS_SYNC] }), ALLOW);
      }
    }
  }
});

test("syncFilter() has none for other architectures", () => {
  assert.equal(syncFilter("riscv64"), undefined);
  assert.equal(syncFilter("ia32"), undefined);
});
