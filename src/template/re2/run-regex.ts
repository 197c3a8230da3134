// Runs all ways through the program at once, one character of the text after another, as RE2 and Go do: the time grows with
// the text times the expression, and never explodes. (JavaScript's own expressions try one way after another.)
import type { RegexProgram } from "./regex-program.ts";
import { type RegexAssertion, RegexError } from "./regex-syntax.ts";

/** Where groups begin and end, in UTF-16 units, by twice their number; -1 for a group that has no part in the match. */
export type Captures = readonly number[];

// Some seconds. Only an expression of thousands of parts on megabytes of text comes here.
const STEPS_MAX = 20_000_000;

interface Thread {
  readonly at: number;
  readonly captures: Captures;
}

/** The ways that are still open at one place of the text, the preferred one first. */
class ThreadList {
  readonly threads: Thread[] = [];
  readonly #seen: Uint32Array;
  #generation = 0;

  constructor(size: number) {
    this.#seen = new Uint32Array(size);
  }

  clear(): void {
    this.threads.length = 0;
    this.#generation++;
  }

  /** Whether it is new. */
  mark(at: number): boolean {
    if (this.#seen[at] === this.#generation) return false;
    this.#seen[at] = this.#generation;
    return true;
  }
}

/**
 * The leftmost match from `from` on, and there the preferred one.
 *
 * @throws {RegexError} if it is too much work.
 */
export function runRegex(
  { instructions, start }: RegexProgram,
  text: string,
  from: number,
  slotCount: number,
): Captures | undefined {
  let current = new ThreadList(instructions.length);
  let next = new ThreadList(instructions.length);
  const noCaptures: Captures = new Array<number>(slotCount).fill(-1);
  let steps = 0;
  let found: Captures | undefined;

  /** Follows what needs no character. */
  function add(list: ThreadList, first: Thread, position: number): void {
    const open = [first];
    for (let thread = open.pop(); thread !== undefined; thread = open.pop()) {
      const { at, captures } = thread;
      const instruction = instructions[at];
      if (instruction === undefined || !list.mark(at)) continue;
      if (++steps > STEPS_MAX) throw new RegexError("the expression is too much work for this text");
      switch (instruction.kind) {
        case "split":
          open.push({ at: instruction.second, captures }, { at: instruction.first, captures });
          break;
        case "save":
          open.push({ at: instruction.next, captures: captures.with(instruction.slot, position) });
          break;
        case "assertion":
          if (holds(instruction.at, text, position)) open.push({ at: instruction.next, captures });
          break;
        default:
          list.threads.push(thread);
      }
    }
  }

  current.clear();
  for (let position = from; ; ) {
    if (found === undefined) add(current, { at: start, captures: noCaptures }, position);
    else if (current.threads.length === 0) return found;
    const codePoint = text.codePointAt(position);
    const behind = position + (codePoint !== undefined && codePoint > 0xffff ? 2 : 1);
    next.clear();
    for (const { at, captures } of current.threads) {
      const instruction = instructions[at];
      if (++steps > STEPS_MAX) throw new RegexError("the expression is too much work for this text");
      if (instruction?.kind === "match") {
        found = captures;
        // Those behind it are less preferred.
        break;
      }
      if (codePoint === undefined || instruction?.kind !== "character") continue;
      if (instruction.set.has(codePoint)) add(next, { at: instruction.next, captures }, behind);
    }
    if (codePoint === undefined) return found;
    [current, next] = [next, current];
    position = behind;
  }
}

function holds(assertion: RegexAssertion, text: string, position: number): boolean {
  switch (assertion) {
    case "text start":
      return position === 0;
    case "text end":
      return position === text.length;
    case "line start":
      return position === 0 || text.charAt(position - 1) === "\n";
    case "line end":
      return position === text.length || text.charAt(position) === "\n";
    case "word edge":
      return isWord(text, position - 1) !== isWord(text, position);
    case "no word edge":
      return isWord(text, position - 1) === isWord(text, position);
  }
}

function isWord(text: string, position: number): boolean {
  return /\w/.test(text.charAt(position));
}
