import { describeJson } from "../../../base/json/json-value.ts";
import { parseJson } from "../../../base/json/parse-json.ts";
import type { ProblemList } from "../../../base/problems.ts";
import { bodyOf } from "./decide-blocks.ts";
import { type BlockSchema, PACKER_BLOCKS } from "./packer-blocks.ts";
import type { Body } from "./syntax-tree.ts";

/**
 * Parses a file in HCL's JSON form: `.pkr.json` or `.pkrvars.json`.
 *
 * In JSON a block and an attribute look the same, so `schema` must say which properties are blocks. What is in the body of
 * a component, only its own schema knows: such a body stays undecided until `decideBlocks` is asked with that.
 *
 * @returns `undefined` if it cannot be understood; `problems` says all that is wrong, with places.
 */
export function parseHclJson(
  file: string,
  text: string,
  problems: ProblemList,
  schema: BlockSchema = PACKER_BLOCKS,
): Body | undefined {
  // What it tells of a value that it returns, a key that is there twice, does not change what the rest means.
  const value = parseJson(file, text, problems);
  if (value === undefined) return undefined;
  const before = problems.count;
  if (value.kind !== "object") {
    problems.add(`The file must be an object, not ${describeJson(value)}`, { location: value.location });
    return undefined;
  }
  const body = bodyOf(value, schema, problems);
  return problems.count > before ? undefined : body;
}
