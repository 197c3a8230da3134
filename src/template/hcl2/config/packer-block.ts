import type { ProblemList } from "../../../base/problems.ts";
import { nearMiss } from "../../../base/suggest.ts";
import { ConstraintError, fitsConstraint, PACKER_VERSION } from "../../version-constraint.ts";
import type { Block, Expression } from "../syntax/syntax-tree.ts";
import { blocksOf } from "./body-blocks.ts";
import { literalText } from "./literal-text.ts";

/**
 * Checks the `packer` blocks: the version that they require must be one whose templates we read. Plugins are accepted and
 * not looked for: what amibake can do is in it.
 */
export function checkPackerBlocks(blocks: readonly Block[], problems: ProblemList): void {
  for (const block of blocks) {
    const { attributes, blocks: inner } = blocksOf(block.body, { required_plugins: [] }, problems);
    for (const { name, nameRange, value } of attributes.values()) {
      if (name === "required_version") checkVersion(value, problems);
      else addUnknown(name, nameRange, problems);
    }
    for (const { type, typeRange } of inner) {
      if (type !== "required_plugins") addUnknown(type, typeRange, problems);
    }
  }
}

function checkVersion(expression: Expression, problems: ProblemList): void {
  const location = expression.range.start;
  const constraint = literalText(expression);
  if (constraint === undefined) {
    problems.add('"required_version" must be a text without expressions, such as ">= 1.7.0"', { location });
    return;
  }
  try {
    if (fitsConstraint(PACKER_VERSION, constraint)) return;
    problems.add(`The template requires Packer ${constraint}, and amibake reads the templates of ${PACKER_VERSION}`, {
      location,
    });
  } catch (error) {
    if (!(error instanceof ConstraintError)) throw error;
    problems.add(`"required_version" must be a constraint such as ">= 1.7.0, < 2.0.0": ${error.message}`, { location });
  }
}

const KEYS = ["required_version", "required_plugins"];

function addUnknown(name: string, { start }: Block["typeRange"], problems: ProblemList): void {
  const meant = nearMiss(name, KEYS);
  const hint = meant === undefined ? undefined : `Did you mean "${meant}"?`;
  problems.add(`Unknown key "${name}" of the block "packer"`, { location: start, hint });
}
