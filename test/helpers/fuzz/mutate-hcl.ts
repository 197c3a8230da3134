// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are HCL2.

import { pick, type Random, splice, upTo } from "./chance.ts";
import { NASTY_HCL } from "./nasty-hcl.ts";
import { NASTY_EXPRESSIONS } from "./nasty-values.ts";
import { type Mutation, pieceOf, replaceMatch } from "./text-mutations.ts";

const VALUE = /"(?:[^"\\\n]|\\.)*"|(?<![\w.])(?:\d+(?:\.\d+)?|true|false|null)\b|\[\]|\{\}/g;
const REFERENCE = /\b(?:var|local|data|source|build|each)\.[\w.-]+/g;
const NAME = /\b[a-z_]\w*\b/g;
const BLOCK = /^(?:\w[\w-]*)(?: "[^"\n]*")* \{\n(?:.*\n)*?\}\n/gm;

const NASTY_NAMES = [
  ...[
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "dynamic",
    "content",
    "for_each",
    "name",
    "type",
    "x-y",
  ],
  ...[
    "build",
    "source",
    "variable",
    "locals",
    "local",
    "data",
    "sources",
    "optional",
    "object",
    "any",
    "é",
    "_",
    "for",
    "if",
  ],
];

/** Damage to templates of HCL2: to their bytes, tokens, expressions and blocks. */
export const HCL_MUTATIONS: readonly Mutation[] = [
  ["cut", (text, random) => text.slice(0, upTo(text.length, random))],
  ["a piece left out", (text, random) => splice(text, "", upTo(20, random), random)],
  ["a piece twice", (text, random) => splice(text, text.slice(upTo(text.length, random)).slice(0, 40), 0, random)],
  ["another template's piece", (text, random, seeds) => splice(text, pieceOf(pick(seeds, random), random), 0, random)],
  ["a wrong character", (text, random) => splice(text, pick([...'${}"\\\n()[]<>=?:%~|&!*.,#\t/-'], random), 1, random)],
  ["a token", (text, random) => splice(text, pick(TOKENS, random), 0, random)],
  ["Windows line ends", (text) => text.replaceAll("\n", "\r\n")],
  ["another value", (text, random) => replaceMatch(VALUE, text, () => pick(NASTY_HCL, random), random)],
  ["another value", (text, random) => replaceMatch(VALUE, text, () => pick(NASTY_HCL, random), random)],
  [
    "another value of an argument",
    (text, random) => replaceMatch(/= .+$/gm, text, () => `= ${pick(NASTY_HCL, random)}`, random),
  ],
  ["another reference", (text, random) => replaceMatch(REFERENCE, text, () => pick(NASTY_HCL, random), random)],
  ["another name", (text, random) => replaceMatch(NAME, text, () => pick(NASTY_NAMES, random), random)],
  ["a name from elsewhere", (text, random) => replaceMatch(NAME, text, () => nameOf(text, random), random)],
  ["a Go template", (text, random) => replaceMatch(/"(?=[^"\n]+")/g, text, () => `"${goText(random)}`, random)],
  [
    "an interpolation",
    (text, random) => replaceMatch(/"(?=[^"\n]+")/g, text, () => `"\${${pick(NASTY_HCL, random)}}`, random),
  ],
  ["deeper", (text, random) => replaceMatch(VALUE, text, (value) => nested(value, random), random)],
  ["a block twice", (text, random) => replaceMatch(BLOCK, text, (block) => block + block, random)],
  ["a block left out", (text, random) => replaceMatch(BLOCK, text, () => "", random)],
  [
    "a block in a block",
    (text, random) => replaceMatch(/\{\n/g, text, () => `{\n${pick(NASTY_NAMES, random)} {\n}\n`, random),
  ],
  ["an argument more", (text, random) => replaceMatch(/\{\n/g, text, () => `{\n${argument(random)}\n`, random)],
];

const TOKENS = [
  ...[
    "<<EOT\n",
    "<<-EOT\n",
    "EOT\n",
    "${",
    "%{",
    "}",
    "${~",
    "~}",
    "$${",
    "%{ if true }",
    "%{ endfor }",
    "%{ else }",
    "=>",
  ],
  ...[
    "...",
    "[*]",
    ".*",
    "?",
    ":",
    "&&",
    "||",
    "!",
    "-",
    "==",
    ">=",
    "/*",
    "*/",
    "//",
    "#",
    "\uFEFF",
    "\0",
    "\u2028",
    "\ud800",
  ],
];

function argument(random: Random): string {
  return `${pick(NASTY_NAMES, random)} = ${pick(NASTY_HCL, random)}`;
}

function nameOf(text: string, random: Random): string {
  const names = text.match(NAME) ?? ["x"];
  return pick(names, random);
}

function goText(random: Random): string {
  return JSON.stringify(pick(NASTY_EXPRESSIONS, random)).slice(1, -1);
}

function nested(value: string, random: Random): string {
  const depth = 1 + upTo(random() < 0.1 ? 300 : 3, random);
  const [open, close] = pick(
    [
      ["[", "]"],
      ["(", ")"],
      ["{ a = ", " }"],
      ['"${', '}"'],
      ["upper(", ")"],
      ["!", ""],
      ["-", ""],
      ["[for x in ", " : x]"],
      ["true ? ", " : null"],
    ] as const,
    random,
  );
  return open.repeat(depth) + value + close.repeat(depth);
}
