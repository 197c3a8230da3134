import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { machine, tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseElfProgram, readElfProgram } from "../files/elf.ts";
import { canRun } from "./foreign-programs.ts";

// As qemu-user-static registers it: `mask` leaves out the ABI, and whether it is position-independent.
const MAGIC = "7f454c460201010000000000000000000200b700";
const MASK = "ffffffffffffff00fffffffffffffffffeffffff";
const entry = (flags: string, state = "enabled") =>
  `${state}\ninterpreter /usr/libexec/qemu-binfmt/aarch64\nflags: ${flags}\noffset 0\nmagic ${MAGIC}\nmask ${MASK}\n`;

test("canRun() knows this host's own machine, and the one that it runs too", async () => {
  const none = { binfmtDirectory: "/nonexistent" };
  assert.equal(await canRun(machine(), none), true);
  assert.equal(await canRun("i386", { machine: "x86_64", ...none }), true);
  assert.equal(await canRun("i386", { machine: "aarch64", ...none }), false);
  assert.equal(await canRun("aarch64", { machine: "x86_64", ...none }), false);
  assert.equal(await canRun("x86_64_mac", { machine: "x86_64", ...none }), false);
});

test("canRun() takes a registered interpreter that also works in a chroot", async () => {
  const binfmtDirectory = await mkdtemp(join(tmpdir(), "amibake-binfmt-"));
  try {
    await writeFile(join(binfmtDirectory, "status"), "enabled\n");
    for (const [text, expected] of [
      [entry("OCF"), true],
      // Looked for inside the image, where it is not.
      [entry("OC"), false],
      [entry("OCF", "disabled"), false],
      [entry("F").replace("b700", "f300"), false],
      ["enabled\ninterpreter /usr/bin/mono\nflags: F\nextension .exe\n", false],
    ] as const) {
      await writeFile(join(binfmtDirectory, "qemu-aarch64"), text);
      assert.equal(await canRun("aarch64", { machine: "x86_64", binfmtDirectory }), expected, text);
    }
    await writeFile(join(binfmtDirectory, "qemu-aarch64"), entry("F"));
    assert.equal(await canRun("riscv64", { machine: "x86_64", binfmtDirectory }), false);
  } finally {
    await rm(binfmtDirectory, { recursive: true });
  }
});

test("readElfProgram() tells a program's machine and loader, and that a file is no program", async () => {
  const program = await readElfProgram(process.execPath);
  assert.equal(program?.machine, machine());
  assert.match(program?.interpreter ?? "", /\/ld-/);
  assert.equal(await readElfProgram(import.meta.filename), undefined);
  assert.equal(parseElfProgram(Buffer.alloc(0)), undefined);
});

test("parseElfProgram() believes no header that points outside the file", async () => {
  const head = Buffer.alloc(64);
  head.set(Buffer.from("\x7fELF\x02\x01", "latin1"));
  head.writeUInt16LE(62, 18);
  head.writeUInt16LE(56, 54);
  head.writeUInt16LE(65_535, 56);
  for (const offset of [0n, 40n, 64n, 2n ** 63n]) {
    head.writeBigUInt64LE(offset, 32);
    assert.equal(parseElfProgram(head)?.interpreter, undefined);
  }
});
