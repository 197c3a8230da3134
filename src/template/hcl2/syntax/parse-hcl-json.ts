import { describeJson, type JsonObject, type JsonValue } from "../../../base/json/json-value.ts";
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
  // A block may be repeated. What is told of a value that is returned, a key that is there twice, does not change what the rest
  // means.
  const value = parseJson(file, text, problems, { allowsTwice: true });
  const before = problems.count;
  const root = value === undefined ? undefined : rootOf(value, problems);
  if (root === undefined) return undefined;
  const body = bodyOf(root, schema, problems);
  return problems.count > before ? undefined : body;
}

/** A list is as good as one object with all that is in its objects. */
function rootOf(value: JsonValue, problems: ProblemList): JsonObject | undefined {
  const items = value.kind === "array" ? value.items : [value];
  const members = items.flatMap((item) => {
    if (item.kind === "object") return item.members;
    const what = value.kind === "array" ? "What is in the list of the file" : "The file";
    problems.add(`${what} must be an object, not ${describeJson(item)}`, { location: item.location });
    return [];
  });
  return { kind: "object", location: value.location, members };
}
