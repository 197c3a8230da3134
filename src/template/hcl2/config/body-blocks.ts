import type { ProblemList } from "../../../base/problems.ts";
import { decideBlocks } from "../syntax/decide-blocks.ts";
import type { Body } from "../syntax/syntax-tree.ts";

/**
 * What stands in a body. In a JSON file nothing but its name tells whether something is a block: there, what has a name in
 * `labels` is one.
 *
 * @param labels of each block that the body can have.
 */
export function blocksOf(body: Body, labels: Readonly<Record<string, readonly string[]>>, problems: ProblemList): Body {
  if (body.undecided === undefined) return body;
  const schema = new Map(Object.entries(labels).map(([type, names]) => [type, { labelCount: names.length }]));
  return decideBlocks(body, schema, problems);
}
