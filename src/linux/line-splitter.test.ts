import assert from "node:assert/strict";
import { test } from "node:test";
import { lineSplitter } from "./line-splitter.ts";

function linesOf(chunks: Iterable<string | Buffer>): string[] {
  const lines: string[] = [];
  const splitter = lineSplitter((line) => lines.push(line));
  for (const chunk of chunks) splitter.push(Buffer.from(chunk as string));
  splitter.end();
  return lines;
}

const cases: [name: string, chunks: (string | Buffer)[], lines: string[]][] = [
  ["lines over chunks", ["on", "e\ntw", "o\n\nthree"], ["one", "two", "", "three"]],
  ["a final line end", ["one\n"], ["one"]],
  ["Windows line ends, also cut in two", ["one\r", "\ntwo\r\n"], ["one", "two"]],
  ["what is overwritten", ["10%\r20%\r", "30%\nnext"], ["30%", "next"]],
  ["a character cut in two", [Buffer.from([0xc3]), Buffer.from([0xa4, 0x0a])], ["ä"]],
  ["bytes that are no text", [Buffer.from([0x61, 0xff, 0x0a])], ["a\ufffd"]],
];
for (const [name, chunks, lines] of cases) {
  test(`lineSplitter(): ${name}`, () => assert.deepEqual(linesOf(chunks), lines));
}

test("lineSplitter() gives a line without an end in parts, in linear time", () => {
  const chunk = Buffer.alloc(64 * 1024, "x");
  let lengths = 0;
  let longest = 0;
  const splitter = lineSplitter((line) => {
    lengths += line.length;
    longest = Math.max(longest, line.length);
  });
  // Of the processor, which others use too.
  const start = process.cpuUsage();
  for (let count = 0; count < 1024; count++) splitter.push(chunk);
  splitter.end();
  assert.equal(lengths, 1024 * chunk.length);
  assert.equal(longest, 65_536);
  assert.ok(process.cpuUsage(start).user < 5_000_000, "64 MiB took too long");
});

test("lineSplitter() keeps only the last version of a long progress line", () => {
  const progress = Array.from({ length: 100_000 }, (_, index) => `${index}\r`);
  assert.deepEqual(linesOf([progress.join(""), "done\n"]), ["done"]);
});
