import { type Problem, ProblemList } from "../../../src/base/problems.ts";
import type { SourceLocation } from "../../../src/base/source-location.ts";
import { parseHcl, parseHclExpression } from "../../../src/template/hcl2/syntax/parse-hcl.ts";
import { parseHclJson } from "../../../src/template/hcl2/syntax/parse-hcl-json.ts";

const FILE = "fuzz.pkr.hcl";
const MESSAGE_LENGTH_MAX = 600;

type Reader = (text: string, problems: ProblemList) => unknown;

/** A text is read as a file, as an expression, and as a string of the JSON form, and that as a file. */
const READERS: readonly (readonly [string, Reader, (text: string) => string])[] = [
  ["a file", (text, problems) => parseHcl(FILE, text, problems), (text) => text],
  ["an expression", (text, problems) => parseHclExpression(FILE, text, problems), (text) => text],
  ["JSON", (text, problems) => parseHclJson(FILE, text, problems), (text) => text],
  [
    "a JSON string",
    (text, problems) => parseHclJson(FILE, text, problems),
    (text) => `{"locals": {"a": ${JSON.stringify(text)}}}`,
  ],
];

/** Of two with one name, both are read. */
const STILL_READ = / is (?:set|there) twice$/;

/** @returns what is wrong with how the parser takes `text`; nothing if it is a tree, or problems with places in it. */
export function judgeHcl(text: string): string | undefined {
  for (const [what, read, write] of READERS) {
    const complaint = judgeReader(write(text), read);
    if (complaint !== undefined) return `As ${what}: ${complaint}`;
  }
  return undefined;
}

function judgeReader(text: string, read: Reader): string | undefined {
  const problems = new ProblemList();
  try {
    const result = read(text, problems);
    if (result === undefined && problems.isEmpty) return "It neither reads it nor says what is wrong";
    const isRead = problems.sorted([]).every(({ message }) => STILL_READ.test(message));
    if (result !== undefined && !isRead) return "It reads it, and says that something is wrong";
  } catch (error) {
    return `It throws ${error instanceof Error ? error.stack : String(error)}`;
  }
  const lineLengths = text.split("\n").map((line) => [...line].length);
  return problems
    .sorted([])
    .map((problem) => judgeProblem(problem, lineLengths))
    .find((complaint) => complaint !== undefined);
}

function judgeProblem({ location, message, hint }: Problem, lineLengths: readonly number[]): string | undefined {
  for (const said of [message, hint ?? "-"]) {
    if (said.trim() === "" || said.length > MESSAGE_LENGTH_MAX) return `It says too little or too much: ${said}`;
    if (/undefined|\[object|NaN/.test(said)) return `It shows a value of the program: ${said}`;
  }
  if (location === undefined)
    return message.startsWith("There are more than") ? undefined : `It names no place: ${message}`;
  return isInside(location, lineLengths)
    ? undefined
    : `It points outside, to ${location.line}:${location.column}: ${message}`;
}

function isInside({ line, column }: SourceLocation, lineLengths: readonly number[]): boolean {
  const length = lineLengths[line - 1];
  return length !== undefined && column >= 1 && column <= length + 1;
}
