import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { seededRandom } from "../../src/base/random.ts";
import { Journal } from "../../src/local-cloud/state/journal.ts";
import { programCommand } from "../helpers/test-program.ts";

const KILL_COUNT = 8;

/** Runs the writer, kills it after a while, and returns the numbers that it had acknowledged. */
async function writeAndKill(path: string, seed: number, start: number, afterMs: number): Promise<number[]> {
  const [program = "", ...argv] = programCommand("test/fixtures/journal-writer.ts");
  const child = spawn(program, [...argv, path, String(seed), String(start)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (chunk) => {
    // The time runs from the first acknowledgement: starting takes as long as the machine likes.
    if (output === "") setTimeout(() => child.kill("SIGKILL"), afterMs);
    output += chunk;
  });
  await new Promise((resolve) => child.once("close", resolve));
  return output.split("\n").slice(0, -1).map(Number);
}

test("A journal whose process is killed in the middle of its writes has all that was acknowledged", async (context) => {
  const seed = Math.floor(Math.random() * 1e9);
  context.diagnostic(`seed ${seed}`);
  const random = seededRandom(seed);
  const directory = await mkdtemp(join(tmpdir(), "amibake-kill-"));
  const path = join(directory, "journal.jsonl");
  try {
    let last = -1;
    for (let round = 0; round < KILL_COUNT; round++) {
      const acknowledged = await writeAndKill(path, seed + round, last + 1, random() * 150);
      const records = new Map<string, { number: number }>();
      const journal = await Journal.open(
        path,
        ([, key, record]) => records.set(key, record as { number: number }),
        () => [],
      );
      await journal[Symbol.asyncDispose]();
      for (const number of acknowledged) {
        const found = records.get(`k${number % 50}`);
        assert.ok(found !== undefined && found.number >= number, `round ${round}: ${number} is lost`);
      }
      for (const [key, { number }] of records) {
        if (!key.endsWith("twin")) assert.equal(records.get(`${key} twin`)?.number, number, "a transaction is torn");
      }
      last = Math.max(last, ...[...records.values()].map(({ number }) => number));
    }
    assert.ok(last > 100, `only ${last} writes were tried`);
  } finally {
    await rm(directory, { recursive: true });
  }
});
