import { createScanner, type Node, type ParseError, parseTree } from "jsonc-parser";
import { messageOf } from "../errors.ts";
import type { ProblemList } from "../problems.ts";
import { type SourceLocation, SourceMap } from "../source-location.ts";
import type { JsonMember, JsonString, JsonValue } from "./json-value.ts";

// The parser calls itself for each level. Real files have about ten.
const DEPTH_MAX = 200;
// A value with its comma is two; each takes some hundred bytes of memory.
const TOKENS_MAX = 500_000;

// jsonc-parser's error numbers: its enum is a `const enum`, which cannot be imported here.
const SYNTAX_MESSAGES: Readonly<Record<number, string>> = {
  1: "This is not a JSON value",
  2: "This is not a number",
  3: 'A key in double quotes is missing before this or after a ","',
  4: "A value is missing",
  5: 'A ":" is missing',
  6: 'A "," is missing',
  7: 'A "}" is missing',
  8: 'A "]" is missing',
  9: "Unexpected text after the end of the object",
  10: "JSON has no comments",
  11: "Unclosed comment",
  12: "Unclosed string",
  13: "Unfinished number",
  14: "Wrong \\u escape in a string",
  15: "Wrong escape in a string",
};

/**
 * Parses strict JSON and keeps the place of each value.
 *
 * @param options.allowsTwice whether an object may have a key twice: all of its members are there then. @default false
 * @returns `undefined` if it is not JSON; `problems` says why and where.
 */
export function parseJson(
  file: string,
  text: string,
  problems: ProblemList,
  { allowsTwice = false }: { allowsTwice?: boolean } = {},
): JsonValue | undefined {
  const map = new SourceMap(file, text);
  const excess = findExcess(text);
  if (excess !== undefined) {
    problems.add(excess.message, { location: map.locate(excess.offset) });
    return undefined;
  }
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
  // The first one only: what follows is usually its echo.
  const [first] = errors;
  if (first !== undefined || root === undefined) {
    problems.add(...syntaxProblem(first, text, map));
    return undefined;
  }
  const strictness = strictError(text);
  if (strictness !== undefined) {
    problems.add(`This is not JSON: ${strictness}`, { location: map.locate(0) });
    return undefined;
  }
  return convert(root, { text, map, problems, allowsTwice });
}

function syntaxProblem(
  error: ParseError | undefined,
  text: string,
  map: SourceMap,
): [message: string, details: { location: SourceLocation; hint?: string }] {
  const offset = error?.offset ?? 0;
  if (error?.error !== CONTROL_CHARACTER) return [syntaxMessage(error, text), { location: map.locate(offset) }];
  // The error is of the string.
  const inString = text.slice(offset).search(CONTROL_CHARACTERS);
  const character = text[offset + inString] ?? "";
  const escaped = JSON.stringify(character).slice(1, -1);
  // The end of a line is told as that of the string.
  const name = character === "\t" ? "A tab" : "A control character";
  return [`${name} in a string`, { location: map.locate(offset + inString), hint: `Write it as ${escaped}` }];
}

const CONTROL_CHARACTER = 16;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL_CHARACTERS = /[\u0000-\u001f]/;

function syntaxMessage(error: ParseError | undefined, text: string): string {
  if (error === undefined || text.trim() === "") return "The file is empty; it must be a JSON object";
  if (error.error === 3 && text[error.offset] === "}") return 'A "," is too much before this "}"';
  if (error.error === 4 && text[error.offset] === "]") return 'A "," is too much before this "]"';
  if (error.offset >= text.length) return "The file ends too early";
  return SYNTAX_MESSAGES[error.error] ?? "This is not JSON";
}

/** The judge of last resort: the tolerant parser must not let pass what no other tool reads. */
function strictError(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

// jsonc-parser's token numbers, of another `const enum`.
const TOKENS = { open: [1, 3], close: [2, 4], end: 17 } as const;

/** By the parser's own tokens: what is a string or a comment to it must be one here. */
function findExcess(text: string): { message: string; offset: number } | undefined {
  const scanner = createScanner(text, true);
  let depth = 0;
  let count = 0;
  for (let token: number = scanner.scan(); token !== TOKENS.end; token = scanner.scan()) {
    if ((TOKENS.open as readonly number[]).includes(token)) depth++;
    if ((TOKENS.close as readonly number[]).includes(token)) depth--;
    const offset = scanner.getTokenOffset();
    if (depth > DEPTH_MAX) return { message: `Nested deeper than ${DEPTH_MAX} levels`, offset };
    if (++count > TOKENS_MAX) return { message: "There are too many values up to here", offset };
  }
  return undefined;
}

interface Source {
  readonly text: string;
  readonly map: SourceMap;
  readonly problems: ProblemList;
  readonly allowsTwice: boolean;
}

function convert(node: Node, source: Source): JsonValue {
  const location = source.map.locate(node.offset);
  switch (node.type) {
    case "object":
      return { kind: "object", location, members: convertMembers(node.children ?? [], source) };
    case "array":
      return { kind: "array", location, items: (node.children ?? []).map((child) => convert(child, source)) };
    case "string":
      return convertString(node, source);
    case "number": {
      const text = source.text.slice(node.offset, node.offset + node.length);
      return { kind: "number", location, value: node.value as number, text };
    }
    case "boolean":
      return { kind: "boolean", location, value: node.value as boolean };
    case "null":
      return { kind: "null", location };
    case "property":
      throw new TypeError("A property stands only in an object");
  }
}

function convertMembers(properties: readonly Node[], source: Source): JsonMember[] {
  const seen = new Set<string>();
  return properties.flatMap(({ children: [keyNode, valueNode] = [] }) => {
    if (keyNode === undefined || valueNode === undefined) return [];
    const key = convertString(keyNode, source);
    if (seen.has(key.value) && !source.allowsTwice) {
      source.problems.add(`The key "${key.value}" is there twice`, { location: key.location });
      return [];
    }
    seen.add(key.value);
    return [{ key: key.value, keyLocation: key.location, locateInKey: key.locate, value: convert(valueNode, source) }];
  });
}

function convertString(node: Node, { text, map }: Source): JsonString {
  const raw = text.slice(node.offset + 1, node.offset + node.length - 1);
  return {
    kind: "string",
    location: map.locate(node.offset),
    // Half a pair of surrogates is no character: as in Go, U+FFFD stands for it.
    value: (node.value as string).replaceAll(/\p{Surrogate}/gu, "\ufffd"),
    locate: (offset) => map.locate(node.offset + 1 + rawOffset(raw, offset)),
  };
}

/** Where the character at `offset` of a string stands in its JSON text, which may have escapes. */
function rawOffset(raw: string, offset: number): number {
  let position = 0;
  for (let index = 0; index < offset; index++) {
    const isEscape = raw[position] === "\\";
    position += isEscape ? (raw[position + 1] === "u" ? 6 : 2) : 1;
  }
  return position;
}
