// A provisioner whose output is too much, or no text.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { amibakeCommand } from "../helpers/amibake-cli.ts";
import { script } from "../helpers/attack-image.ts";
import { writeTemplate } from "../helpers/build-template.ts";
import { startTestCloud } from "../helpers/test-cloud.ts";

const MIB = 1024 ** 2;
const LINE_BYTES = 384 * MIB;
// Less than the line: it is never held as a whole.
const MEMORY_BYTES_MAX = 300 * MIB;

test("384 MiB without a line end, and bytes and terminal codes of every kind, pass in bounded memory", async () => {
  await using cloud = await startTestCloud();
  const template = await writeTemplate(cloud, { ami_name: "noise" }, [
    script(
      `head -c ${LINE_BYTES} /dev/zero | tr '\\0' x; echo`,
      "head -c 300000 /dev/urandom; echo",
      "printf '\\033[2J\\033]0;owned\\007\\033[31mred\\n'",
      "echo end",
    ),
  ]);
  const path = join(cloud.scratch, "log");
  await using log = await open(path, "w");
  const [program = "", ...rest] = await amibakeCommand();
  const child = spawn(program, [...rest, "build", "-color=false", template], {
    env: { PATH: process.env["PATH"] ?? "", HOME: cloud.scratch, ...cloud.environment },
    stdio: ["ignore", log.fd, log.fd],
  });
  const ended = once(child, "exit");
  let peakBytes = 0;
  while (child.exitCode === null && child.signalCode === null) {
    const status = await readFile(`/proc/${child.pid}/status`, "utf8").catch(() => "");
    peakBytes = Math.max(peakBytes, Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024);
    await delay(50);
  }
  const [exitCode] = await ended;
  const text = await readEnd(path);
  assert.equal(exitCode, 0, text);
  assert.match(text, /: red\n[^\n]*: end\n/);
  assert.ok((await log.stat()).size > LINE_BYTES, "nothing is left out");
  assert.ok(!text.includes(String.fromCharCode(27)), "terminal codes are taken out");
  assert.ok(peakBytes < MEMORY_BYTES_MAX, `peak memory was ${peakBytes} bytes`);
});

const END_BYTES = 1_000_000;

/** The last part of a large file. */
async function readEnd(path: string): Promise<string> {
  await using file = await open(path, "r");
  const { size } = await file.stat();
  const length = Math.min(size, END_BYTES);
  const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
  return buffer.toString();
}
