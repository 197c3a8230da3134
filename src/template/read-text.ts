import { createReadStream, readFileSync, statSync } from "node:fs";
import { systemCode } from "../base/errors.ts";
import type { ProblemList } from "../base/problems.ts";
import { formatBytes } from "../base/units.ts";

// No template is this long; /dev/zero would be.
const TEXT_BYTES_MAX = 4 * 1024 ** 2;

/**
 * Reads a UTF-8 text file or pipe.
 *
 * @param file shown in problems, and read.
 * @returns `undefined` if it cannot be read; `problems` says why.
 */
export async function readText(file: string, problems: ProblemList): Promise<string | undefined> {
  return readStream(file, fileChunks(file), problems);
}

// Opened while it is read: a path that cannot be one is then a problem as any other.
async function* fileChunks(file: string): AsyncIterable<Uint8Array> {
  const found = statSync(file);
  // A stream costs more than reading a file of this size; a pipe is waited for, and Ctrl-C must be heard meanwhile.
  if (found.isFile() && found.size <= TEXT_BYTES_MAX) yield readFileSync(file);
  else yield* createReadStream(file);
}

/**
 * Reads UTF-8 text from a stream.
 *
 * @param file shown in problems.
 * @returns `undefined` if it cannot be read; `problems` says why.
 */
export async function readStream(
  file: string,
  stream: AsyncIterable<Uint8Array | string>,
  problems: ProblemList,
): Promise<string | undefined> {
  try {
    return decodeText(file, await readBytes(stream), problems);
  } catch (error) {
    problems.add(`Cannot read "${file}": ${whyUnreadable(error)}`);
    return undefined;
  }
}

async function readBytes(stream: AsyncIterable<Uint8Array | string>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let byteCount = 0;
  for await (const text of stream) {
    const chunk = typeof text === "string" ? Buffer.from(text) : text;
    chunks.push(chunk);
    byteCount += chunk.byteLength;
    if (byteCount > TEXT_BYTES_MAX) throw new Error(`it is longer than ${formatBytes(TEXT_BYTES_MAX)}`);
  }
  return Buffer.concat(chunks);
}

/** Why a file or directory cannot be read, for a message. */
export function whyUnreadable(error: unknown): string {
  switch (systemCode(error)) {
    case "ENOENT":
      return "there is no such file";
    case "EISDIR":
      return "it is a directory";
    case "EACCES":
    case "EPERM":
      return "this user may not read it";
    case "ENOTDIR":
      return "a part of the path is not a directory";
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

function decodeText(file: string, bytes: Uint8Array, problems: ProblemList): string | undefined {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    problems.add("The file is not UTF-8 text", { location: { file, ...firstWrongByte(bytes) } });
    return undefined;
  }
  const hasMark = text.startsWith("\uFEFF");
  const isHcl = file.endsWith(".hcl");
  // It is no column of its line. A second one is a character, and a wrong one.
  if (hasMark && isHcl && text[1] !== "\uFEFF") text = text.slice(1);
  problems.addSource(file, text);
  if (!hasMark || isHcl) return text;
  problems.add("The file starts with a byte order mark (BOM), which JSON does not allow", {
    location: { file, line: 1, column: 1 },
    hint: "Save it as UTF-8 without a BOM",
  });
  return undefined;
}

/** Where the text stops being UTF-8. */
function firstWrongByte(bytes: Uint8Array): { line: number; column: number } {
  // The decoder replaces a wrong sequence by U+FFFD; up to there the text is good.
  const good = new TextDecoder().decode(bytes).split("\uFFFD", 1).join("").split("\n");
  return { line: good.length, column: [...(good.at(-1) ?? "")].length + 1 };
}
