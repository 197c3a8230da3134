import type { ProblemList } from "../../../base/problems.ts";
import type { SourceLocation } from "../../../base/source-location.ts";
import { nearMiss } from "../../../base/suggest.ts";
import type { Block, Expression } from "../syntax/syntax-tree.ts";
import { addTwice } from "./add-twice.ts";
import { blocksOf } from "./body-blocks.ts";
import { readFlag } from "./constants.ts";
import { checkName } from "./names.ts";
import type { RootBlocks } from "./root-blocks.ts";

/** A value that the template gives a name. */
export interface LocalValue {
  readonly name: string;
  readonly location: SourceLocation;
  readonly expression: Expression;
  readonly isSensitive: boolean;
}

/** The locals of a template by name: of `locals` blocks, and of `local` blocks, which may be sensitive. */
export function declareLocals(
  blocks: Pick<RootBlocks, "local" | "locals">,
  problems: ProblemList,
): Map<string, LocalValue> {
  const declared = new Map<string, LocalValue>();
  const declare = (local: LocalValue): void => {
    const first = declared.get(local.name);
    if (first === undefined) declared.set(local.name, local);
    else addTwice("local", local.name, { first: first.location, second: local.location }, problems);
  };
  for (const block of blocks.locals) {
    const { attributes, blocks: inner } = blocksOf(block.body, {}, problems);
    for (const { typeRange } of inner) {
      problems.add('A "locals" block has no blocks in it', {
        location: typeRange.start,
        hint: "For an object, write name = { … }",
      });
    }
    for (const { name, nameRange, value } of attributes.values()) {
      declare({ name, location: nameRange.start, expression: value, isSensitive: false });
    }
  }
  for (const block of blocks.local) {
    const local = readLocal(block, problems);
    if (local !== undefined) declare(local);
  }
  return declared;
}

const KEYS = ["expression", "sensitive"];

function readLocal(block: Block, problems: ProblemList): LocalValue | undefined {
  const { attributes, blocks } = blocksOf(block.body, {}, problems);
  const unknown = [
    ...[...attributes.values()].map(({ name, nameRange }) => ({ name, range: nameRange })),
    ...blocks.map(({ type, typeRange }) => ({ name: type, range: typeRange })),
  ].filter(({ name }) => !KEYS.includes(name));
  for (const { name, range } of unknown) {
    const meant = nearMiss(name, KEYS);
    const hint = meant === undefined ? 'There are "expression" and "sensitive"' : `Did you mean "${meant}"?`;
    problems.add(`Unknown key "${name}" of a local`, { location: range.start, hint });
  }
  const [label] = block.labels;
  checkName("local", label, problems);
  const location = (label?.range ?? block.typeRange).start;
  const expression = attributes.get("expression")?.value;
  if (expression === undefined) {
    problems.add('The key "expression" of a local is missing', { location });
    return undefined;
  }
  const isSensitive = readFlag('"sensitive" of a local', attributes.get("sensitive")?.value, problems);
  return { name: label?.text ?? "", location, expression, isSensitive };
}
