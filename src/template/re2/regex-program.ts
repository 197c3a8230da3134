import type { CharacterSet } from "./character-set.ts";
import { type ParsedRegex, type RegexAssertion, RegexError, type RegexNode } from "./regex-syntax.ts";

export type Instruction =
  /** Goes on behind a character of the set. */
  | { readonly kind: "character"; readonly set: CharacterSet; next: number }
  | { readonly kind: "assertion"; readonly at: RegexAssertion; next: number }
  | { readonly kind: "save"; readonly slot: number; next: number }
  /** Goes on at both, the first one preferred. */
  | { readonly kind: "split"; first: number; second: number }
  | { readonly kind: "match" };

export interface RegexProgram {
  readonly instructions: readonly Instruction[];
  readonly start: number;
}

// Repeats of repeats multiply: a{1000} in {1000} would be a million.
const INSTRUCTIONS_MAX = 50_000;

/** @throws {RegexError} if it would be too large. */
export function compileRegex({ node }: ParsedRegex): RegexProgram {
  const compiler = new Compiler();
  const match = compiler.emit({ kind: "match" });
  const start = compiler.compile({ kind: "group", index: 0, node }, match);
  return { instructions: compiler.instructions, start };
}

/** Builds from the end: every part knows where it goes on. */
class Compiler {
  readonly instructions: Instruction[] = [];

  emit(instruction: Instruction): number {
    if (this.instructions.length >= INSTRUCTIONS_MAX) throw new RegexError("the expression is too large");
    return this.instructions.push(instruction) - 1;
  }

  /** @returns where the node begins. */
  compile(node: RegexNode, next: number): number {
    switch (node.kind) {
      case "empty":
        return next;
      case "character":
        return this.emit({ kind: "character", set: node.set, next });
      case "assertion":
        return this.emit({ kind: "assertion", at: node.at, next });
      case "group": {
        const end = this.emit({ kind: "save", slot: 2 * node.index + 1, next });
        return this.emit({ kind: "save", slot: 2 * node.index, next: this.compile(node.node, end) });
      }
      case "sequence":
        return node.nodes.reduceRight((behind, part) => this.compile(part, behind), next);
      case "choice": {
        const [last = next, ...others] = node.nodes.map((part) => this.compile(part, next)).reverse();
        return others.reduce((second, first) => this.emit({ kind: "split", first, second }), last);
      }
      case "repeat":
        return this.#repeat(node, next);
    }
  }

  #repeat({ node, min, max, isGreedy }: Extract<RegexNode, { kind: "repeat" }>, next: number): number {
    let start = next;
    if (max === undefined) {
      // The loop itself is the last of those that there must be.
      const { body, loop } = this.#plus(node, isGreedy, next);
      // What may be empty is tried before the loop is left: (x+)?, as Go has it. Else the loop's own split will do.
      start = min > 0 ? body : isNullable(node) ? this.#split(isGreedy, body, next) : loop;
    } else {
      // (x(x(x)?)?)?
      for (let count = min; count < max; count++) {
        start = this.#split(isGreedy, this.compile(node, start), next);
      }
    }
    const required = max === undefined ? min - 1 : min;
    for (let count = 0; count < required; count++) start = this.compile(node, start);
    return start;
  }

  #plus(node: RegexNode, isGreedy: boolean, next: number): { body: number; loop: number } {
    const split: Instruction = { kind: "split", first: next, second: next };
    const loop = this.emit(split);
    const body = this.compile(node, loop);
    if (isGreedy) split.first = body;
    else split.second = body;
    return { body, loop };
  }

  #split(isGreedy: boolean, body: number, next: number): number {
    return this.emit({ kind: "split", first: isGreedy ? body : next, second: isGreedy ? next : body });
  }
}

function isNullable(node: RegexNode): boolean {
  switch (node.kind) {
    case "empty":
    case "assertion":
      return true;
    case "character":
      return false;
    case "group":
      return isNullable(node.node);
    case "sequence":
      return node.nodes.every(isNullable);
    case "choice":
      return node.nodes.some(isNullable);
    case "repeat":
      return node.min === 0 || isNullable(node.node);
  }
}
