import { parseRegex } from "./parse-regex.ts";
import { compileRegex, type RegexProgram } from "./regex-program.ts";
import { type Captures, runRegex } from "./run-regex.ts";

/** What a group has matched; `undefined` for one that has no part in the match. */
export type Groups = readonly (string | undefined)[];

/** A regular expression of RE2: Go's, with its syntax, its preferences, and a time that never explodes. */
export class Re2 {
  /** Names of the groups from 1 on; `undefined` for one without a name. */
  readonly groupNames: readonly (string | undefined)[];
  readonly #program: RegexProgram;

  /** @throws {RegexError} if the pattern is none. */
  constructor(pattern: string) {
    const parsed = parseRegex(pattern);
    this.groupNames = parsed.groupNames;
    this.#program = compileRegex(parsed);
  }

  /** The first match, whose first item is all of it; `undefined` if there is none. @throws {RegexError} */
  find(text: string): Groups | undefined {
    const captures = this.#run(text, 0);
    return captures === undefined ? undefined : groupsOf(text, captures);
  }

  /** All matches that do not overlap. @throws {RegexError} */
  findAll(text: string): readonly Groups[] {
    return [...this.#all(text)].map((captures) => groupsOf(text, captures));
  }

  /**
   * Replaces every match. In the replacement `$1`, `$name` and `${name}` stand for groups, and `$$` for a `$`.
   *
   * @throws {RegexError}
   */
  replaceAll(text: string, replacement: string): string {
    let result = "";
    let end = 0;
    for (const captures of this.#all(text)) {
      const [start = 0, stop = 0] = captures;
      result += text.slice(end, start) + this.#expand(replacement, groupsOf(text, captures));
      end = stop;
    }
    return result + text.slice(end);
  }

  *#all(text: string): Generator<Captures> {
    let previousEnd = -1;
    for (let position = 0; position <= text.length; ) {
      const captures = this.#run(text, position);
      if (captures === undefined) return;
      const [start = 0, end = 0] = captures;
      // Nothing right behind a match is no match of its own.
      if (start !== end || start !== previousEnd) yield captures;
      const width = (text.codePointAt(position) ?? 0) > 0xffff ? 2 : 1;
      position = end === position ? position + width : end;
      previousEnd = end;
    }
  }

  #run(text: string, from: number): Captures | undefined {
    return runRegex(this.#program, text, from, 2 * (this.groupNames.length + 1));
  }

  #expand(replacement: string, groups: Groups): string {
    return replacement.replace(
      /\$(?:(\$)|\{(\w+)\}|([\p{L}\p{Nd}_]+))/gu,
      (_all, dollar?: string, braced?: string, bare?: string) => {
        if (dollar !== undefined) return "$";
        const name = braced ?? bare ?? "";
        const index = /^\d+$/.test(name) ? Number(name) : this.groupNames.indexOf(name) + 1;
        return /^\d+$/.test(name) || index > 0 ? (groups[index] ?? "") : "";
      },
    );
  }
}

function groupsOf(text: string, captures: Captures): Groups {
  const groups: (string | undefined)[] = [];
  for (let slot = 0; slot < captures.length; slot += 2) {
    const [start = -1, end = -1] = [captures[slot], captures[slot + 1]];
    groups.push(start < 0 || end < 0 ? undefined : text.slice(start, end));
  }
  return groups;
}
