import assert from "node:assert/strict";
import { test } from "node:test";
import { readFully } from "./read-fully.ts";

/** A file that gives three bytes at a time, and none from `brokenFrom` on. */
function fileOf(content: string, brokenFrom = Number.POSITIVE_INFINITY): Parameters<typeof readFully>[0] {
  return {
    async read(target: Uint8Array, at: number, length: number, offsetBytes: number) {
      if (offsetBytes >= brokenFrom) throw Object.assign(new Error("EIO"), { code: "EIO" });
      const piece = Buffer.from(content).subarray(offsetBytes, Math.min(offsetBytes + Math.min(3, length), brokenFrom));
      target.set(piece, at);
      return { bytesRead: piece.length, buffer: target };
    },
  } as Parameters<typeof readFully>[0];
}

test("what comes in pieces is put together, and zeros follow the end", async () => {
  const target = Buffer.alloc(8, 0xff);
  await readFully(fileOf("0123456789"), target, 1);
  assert.equal(target.toString(), "12345678");
  await readFully(fileOf("0123456789"), target, 6);
  assert.equal(target.toString(), "6789\0\0\0\0");
});

test("an error behind the first piece is an error, not the end", async () => {
  await assert.rejects(readFully(fileOf("0123456789", 5), Buffer.alloc(8), 1), { code: "EIO" });
});
