// Damages HCL: the pieces that its grammar is made of, put where they do not belong.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are HCL's templates, not ours

import { pick, type Random, splice, upTo } from "../fuzz/chance.ts";

const PIECES: readonly string[] = [
  ...[
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    '"',
    "'",
    "`",
    "<<EOT\n",
    "<<-EOT\n",
    "\nEOT\n",
    "EOT",
    "${",
    "%{",
    "~}",
    "${~",
    "$${",
    "%%{",
    "$",
    "%",
  ],
  ...[
    "=",
    "==",
    "=>",
    ":",
    "::",
    ",",
    ".",
    "...",
    "*",
    "[*]",
    ".*",
    "?",
    "+",
    "-",
    "!",
    "&&",
    "&",
    "|",
    ";",
    "\\",
    "\\u",
    "\\n",
    "#",
    "//",
    "/*",
  ],
  ...[
    "*/",
    "\n",
    "\r\n",
    "\r",
    "\t",
    " ",
    "\0",
    "\uFEFF",
    "\u00a0",
    "é",
    "🦊",
    "\ud800",
    "“",
    "a",
    "a.b",
    "a[0]",
    ".0",
    ".0.1",
    "1",
    "1e9",
  ],
  ...[
    "for ",
    "for a in b: ",
    " if ",
    " in ",
    "%{ if a }",
    "%{ else }",
    "%{ endif }",
    "%{ for a in b }",
    "%{ endfor }",
    "true",
    "null",
  ],
  ...[
    "a = 1",
    "\na = 1\n",
    "a {",
    "a {}\n",
    '"x"',
    '"${a}"',
    "f(",
    "f(a...)",
    "{ a = 1 }",
    "[1, 2]",
    "/* x */",
    "# x\n",
    "__proto__ = 1\n",
  ],
];

const HITS_MAX = 4;

/** The same numbers give the same text. */
export function mutateHcl(seeds: readonly string[], random: Random): string {
  let text = pick(seeds, random);
  for (let hits = 1 + upTo(HITS_MAX, random); hits > 0; hits--) text = pick(MUTATIONS, random)(text, random, seeds);
  return text;
}

const MUTATIONS: readonly ((text: string, random: Random, seeds: readonly string[]) => string)[] = [
  (text, random) => splice(text, pick(PIECES, random), 0, random),
  (text, random) => splice(text, pick(PIECES, random), 1, random),
  (text, random) => splice(text, pick(PIECES, random), upTo(8, random), random),
  (text, random) => splice(text, "", 1 + upTo(3, random), random),
  (text, random) => splice(text, "", upTo(30, random), random),
  (text, random, seeds) => splice(text, cutOf(pick(seeds, random), random), 0, random),
  (text, random) => splice(text, cutOf(text, random), 0, random),
  (text, random) => text.slice(0, upTo(text.length + 1, random)),
  (text, random, seeds) => `${text}${pick(["\n", "", " "], random)}${pick(seeds, random)}`,
];

function cutOf(text: string, random: Random): string {
  const start = upTo(text.length, random);
  return text.slice(start, start + 1 + upTo(20, random));
}
