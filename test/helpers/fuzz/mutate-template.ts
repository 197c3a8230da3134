import { pick, type Random, splice, upTo } from "./chance.ts";
import { HCL_MUTATIONS } from "./mutate-hcl.ts";
import { BULKY_HCL_TEXTS, SLOW_HCL_TEXTS } from "./nasty-hcl.ts";
import { BULKY_TEXTS, NASTY_EXPRESSIONS, NASTY_JSON, NASTY_STRINGS } from "./nasty-values.ts";
import { type Mutation, pieceOf, replaceMatch } from "./text-mutations.ts";

export const FUZZ_LANGUAGES = ["json", "hcl2"] as const;

export type FuzzLanguage = (typeof FUZZ_LANGUAGES)[number];

/** The templates that are damaged. */
export type FuzzSeeds = Readonly<Record<FuzzLanguage, readonly string[]>>;

export interface FuzzInput {
  readonly language: FuzzLanguage;
  /** How it was made, for whoever reads of it. */
  readonly made: string;
  readonly bytes: Uint8Array;
}

const BULKY_SHARE = 0.003;
const HITS_MAX = 4;

const BULKY: Readonly<Record<FuzzLanguage, typeof BULKY_TEXTS>> = { json: BULKY_TEXTS, hcl2: BULKY_HCL_TEXTS };

/** A damaged template, of one of the languages if none is named. The same numbers give the same one. */
export function mutateTemplate(seeds: FuzzSeeds, random: Random, only?: FuzzLanguage): FuzzInput {
  const language = only ?? pick(FUZZ_LANGUAGES, random);
  if (random() < BULKY_SHARE) {
    const [made, text] = pick(BULKY[language], random);
    return { language, made, bytes: Buffer.from(text()) };
  }
  const mutations = language === "json" ? MUTATIONS : HCL_MUTATIONS;
  let text = pick(seeds[language], random);
  const made: string[] = [];
  for (let hits = 1 + upTo(HITS_MAX, random); hits > 0; hits--) {
    const [name, mutate] = pick(mutations, random);
    made.push(name);
    text = mutate(text, random, seeds[language]);
  }
  const isDamaged = random() < 0.05;
  if (isDamaged) made.push("wrong bytes");
  return { language, made: made.join(", "), bytes: isDamaged ? damageBytes(text, random) : Buffer.from(text) };
}

/** Every input of the bulky sort, which chance may leave out. */
export function* bulkyInputs({ withSlow = false } = {}): Iterable<FuzzInput> {
  for (const language of FUZZ_LANGUAGES) {
    for (const [made, text] of BULKY[language]) yield { language, made, bytes: Buffer.from(text()) };
  }
  if (!withSlow) return;
  for (const [made, text] of SLOW_HCL_TEXTS) yield { language: "hcl2", made, bytes: Buffer.from(text()) };
}

const MUTATIONS: readonly Mutation[] = [
  ["cut", (text, random) => text.slice(0, upTo(text.length, random))],
  ["a piece left out", (text, random) => splice(text, "", upTo(20, random), random)],
  ["a piece twice", (text, random) => splice(text, text.slice(upTo(text.length, random)).slice(0, 40), 0, random)],
  ["another template's piece", (text, random, seeds) => splice(text, pieceOf(pick(seeds, random), random), 0, random)],
  ["a wrong character", (text, random) => splice(text, pick([...',:{}[]"\\\n\t/*#'], random), 1, random)],
  ["Windows line ends", (text) => text.replaceAll("\n", "\r\n")],
  ["a comment", (text, random) => splice(text, pick(["// x\n", "/* x */", "# x\n", "/*"], random), 0, random)],
  ["another value", (text, random) => replaceMatch(VALUE, text, () => pick(NASTY_JSON, random), random)],
  ["another value", (text, random) => replaceMatch(VALUE, text, () => pick(NASTY_JSON, random), random)],
  ["another key", (text, random) => replaceMatch(KEY, text, () => `"${pick(NASTY_KEYS, random)}":`, random)],
  ["a key more", (text, random) => replaceMatch(/\{/g, text, () => `{${nastyMember(random)},`, random)],
  [
    "a key twice",
    (text, random) => replaceMatch(KEY, text, (key) => `${key}${pick(NASTY_JSON, random)},${key}`, random),
  ],
  ["an expression", (text, random) => replaceMatch(/"(?!\s*:)/g, text, () => `"${expression(random)}`, random)],
  ["deeper", (text, random) => replaceMatch(VALUE, text, (value) => nested(value, random), random)],
  ["a letter of a key", (text, random) => replaceMatch(/[a-z]_/g, text, () => "_", random)],
];

const VALUE = /"(?:[^"\\\n]|\\.)*"(?!\s*:)|-?\d+|true|false|null|\[\]|\{\}/g;
const KEY = /"(?:[^"\\\n]|\\.)*"\s*:/g;
const NASTY_KEYS = [...NASTY_STRINGS, "type", "name", "ami_name", "override", "only", "variables", "builders"].map(
  (key) => JSON.stringify(key).slice(1, -1),
);

function nastyMember(random: Random): string {
  return `"${pick(NASTY_KEYS, random)}":${pick(NASTY_JSON, random)}`;
}

function expression(random: Random): string {
  return JSON.stringify(pick([...NASTY_EXPRESSIONS, ...NASTY_STRINGS], random)).slice(1, -1);
}

function nested(value: string, random: Random): string {
  const depth = 1 + upTo(random() < 0.1 ? 300 : 3, random);
  const [open, close] = pick([["[", "]"] as const, ['{"a":', "}"] as const], random);
  return open.repeat(depth) + value + close.repeat(depth);
}

function damageBytes(text: string, random: Random): Uint8Array {
  const bytes = Buffer.from(text);
  for (let hits = 1 + upTo(8, random); hits > 0 && bytes.length > 0; hits--) {
    bytes[upTo(bytes.length, random)] = upTo(256, random);
  }
  return bytes;
}
