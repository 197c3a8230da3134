// https://github.com/google/re2/wiki/Syntax, as Go's regexp/syntax reads it.
import { characterSet, singleCharacter } from "./character-set.ts";
import { ClassReader } from "./parse-class.ts";
import { type ParsedRegex, RegexError, type RegexNode } from "./regex-syntax.ts";

interface Flags {
  readonly isCaseFolded: boolean;
  readonly isMultiLine: boolean;
  /** `.` is a newline, too. */
  readonly isDotAll: boolean;
  /** `*` is lazy and `*?` greedy. */
  readonly isSwapped: boolean;
}

const NO_FLAGS: Flags = { isCaseFolded: false, isMultiLine: false, isDotAll: false, isSwapped: false };
const FLAG_NAMES: Readonly<Record<string, keyof Flags>> = {
  i: "isCaseFolded",
  m: "isMultiLine",
  s: "isDotAll",
  U: "isSwapped",
};

// RE2's own limits. The depth keeps the recursion of this parser from any stack's end.
const REPEAT_MAX = 1000;
const DEPTH_MAX = 200;

/** @throws {RegexError} */
export function parseRegex(pattern: string): ParsedRegex {
  return new RegexParser(pattern).parse();
}

class RegexParser {
  readonly #reader: ClassReader;
  readonly #groupNames: (string | undefined)[] = [];
  #flags = NO_FLAGS;
  #depth = 0;

  constructor(pattern: string) {
    this.#reader = new ClassReader(pattern);
  }

  parse(): ParsedRegex {
    const node = this.#choice();
    if (!this.#reader.isAtEnd) throw new RegexError("unexpected )");
    return { node, groupNames: this.#groupNames };
  }

  /** Flags that are set inside hold up to the end of the group. */
  #choice(): RegexNode {
    if (++this.#depth > DEPTH_MAX) throw new RegexError("groups are nested too deeply");
    const flags = this.#flags;
    const nodes = [this.#sequence()];
    while (this.#reader.take("|")) nodes.push(this.#sequence());
    this.#flags = flags;
    this.#depth--;
    const [only] = nodes;
    return nodes.length === 1 && only !== undefined ? only : { kind: "choice", nodes };
  }

  #sequence(): RegexNode {
    const nodes: RegexNode[] = [];
    while (!this.#reader.isAtEnd && !this.#reader.sees("|") && !this.#reader.sees(")")) {
      if (this.#reader.take("\\Q")) nodes.push(...this.#quoted());
      else {
        const atom = this.#atom();
        if (atom !== undefined) nodes.push(this.#repeated(atom));
      }
    }
    return nodes.length === 0 ? { kind: "empty" } : { kind: "sequence", nodes };
  }

  /** `\Q…\E`: of what follows it, the last character is repeated. */
  #quoted(): RegexNode[] {
    const nodes = [...this.#reader.quoted()].map((character) => this.#literal(character));
    const last = nodes.pop();
    return last === undefined ? [] : [...nodes, this.#repeated(last)];
  }

  #repeated(atom: RegexNode): RegexNode {
    const start = this.#reader.position;
    const count = this.#repeatCount();
    if (count === undefined) return atom;
    if (count.max !== undefined && (count.min > count.max || count.max > REPEAT_MAX)) this.#badCount(start);
    if (count.min > REPEAT_MAX) this.#badCount(start);
    const isLazy = this.#reader.take("?");
    const again = this.#repeatCount();
    if (again !== undefined) {
      throw new RegexError(`invalid nested repetition operator: \`${this.#reader.since(start)}\``);
    }
    return { kind: "repeat", node: atom, ...count, isGreedy: isLazy === this.#flags.isSwapped };
  }

  #badCount(start: number): never {
    throw new RegexError(`invalid repeat count: \`${this.#reader.since(start)}\` (at most ${REPEAT_MAX})`);
  }

  #repeatCount(): { min: number; max: number | undefined } | undefined {
    if (this.#reader.take("*")) return { min: 0, max: undefined };
    if (this.#reader.take("+")) return { min: 1, max: undefined };
    if (this.#reader.take("?")) return { min: 0, max: 1 };
    // What does not look like a count is text.
    const match = this.#reader.match(/\{(\d+)(?:(,)(\d*))?\}/y);
    if (match === undefined) return undefined;
    const [, min = "", comma, max = ""] = match;
    if (comma === undefined) return { min: Number(min), max: Number(min) };
    return { min: Number(min), max: max === "" ? undefined : Number(max) };
  }

  /** `undefined` for flags, which match nothing and cannot be repeated. */
  #atom(): RegexNode | undefined {
    const start = this.#reader.position;
    if (this.#repeatCount() !== undefined) {
      throw new RegexError(`missing argument to repetition operator: \`${this.#reader.since(start)}\``);
    }
    const { isMultiLine, isDotAll, isCaseFolded } = this.#flags;
    if (this.#reader.take("(")) return this.#group();
    if (this.#reader.sees("[")) return { kind: "character", set: this.#reader.bracketClass(isCaseFolded) };
    if (this.#reader.take("^")) return { kind: "assertion", at: isMultiLine ? "line start" : "text start" };
    if (this.#reader.take("$")) return { kind: "assertion", at: isMultiLine ? "line end" : "text end" };
    if (this.#reader.take(".")) return { kind: "character", set: isDotAll ? ANY : NO_NEWLINE };
    if (this.#reader.take("\\A")) return { kind: "assertion", at: "text start" };
    if (this.#reader.take("\\z")) return { kind: "assertion", at: "text end" };
    if (this.#reader.take("\\b")) return { kind: "assertion", at: "word edge" };
    if (this.#reader.take("\\B")) return { kind: "assertion", at: "no word edge" };
    const items = this.#reader.escapedClass();
    if (items !== undefined) return { kind: "character", set: characterSet(items, { isNegated: false, isCaseFolded }) };
    return this.#literal(this.#reader.character());
  }

  #literal(character: string): RegexNode {
    const set = singleCharacter(character.codePointAt(0) ?? 0, this.#flags.isCaseFolded);
    return { kind: "character", set };
  }

  #group(): RegexNode | undefined {
    const start = this.#reader.position - 1;
    if (!this.#reader.take("?")) return this.#capture(undefined, start);
    const name = this.#reader.match(/P?<(\w+)>/y)?.[1];
    if (name !== undefined) return this.#capture(name, start);
    const [, set = "", unset = "", end] = this.#reader.match(/([imsU]*)(?:-([imsU]+))?([:)])/y) ?? [];
    if (end === undefined || (end === ")" && set + unset === "")) {
      throw new RegexError(`invalid or unsupported Perl syntax: \`${this.#reader.opening(start)}\``);
    }
    const before = this.#flags;
    for (const letter of set) this.#flags = { ...this.#flags, [FLAG_NAMES[letter] ?? letter]: true };
    for (const letter of unset) this.#flags = { ...this.#flags, [FLAG_NAMES[letter] ?? letter]: false };
    if (end === ")") return undefined;
    const node = this.#choice();
    this.#flags = before;
    this.#closeGroup(start);
    return node;
  }

  #capture(name: string | undefined, start: number): RegexNode {
    if (name !== undefined && this.#groupNames.includes(name)) {
      throw new RegexError(`duplicate capture group name: \`${name}\``);
    }
    const index = this.#groupNames.push(name);
    const node = this.#choice();
    this.#closeGroup(start);
    return { kind: "group", index, node };
  }

  #closeGroup(start: number): void {
    if (!this.#reader.take(")")) throw new RegexError(`missing closing ): \`${this.#reader.rest(start)}\``);
  }
}

const ANY = characterSet([], { isNegated: true, isCaseFolded: false });
const NO_NEWLINE = characterSet([{ first: 10, last: 10 }], { isNegated: true, isCaseFolded: false });
