import type * as z from "zod/mini";
import type { ProblemList } from "../../../base/problems.ts";
import type { LocatedList, LocatedMember, LocatedObject, LocatedValue } from "../../plan/located-value.ts";
import { type FieldShape, shapeOf } from "../../schema/field-shape.ts";
import type { Attribute } from "../syntax/syntax-tree.ts";
import { blocksOf } from "./body-blocks.ts";
import { locateExpression } from "./locate-expression.ts";
import type { RuntimeScope } from "./runtime-value.ts";
import { expandBlocks, type ScopedBlock } from "./scoped-block.ts";

interface LocateOptions {
  readonly problems: ProblemList;
  readonly runtime?: RuntimeScope | undefined;
}

/**
 * What a block says, as an object that a schema can be asked about. What the schema has objects for stands in blocks: one, or
 * one for each item of a list.
 *
 * @param schema missing for what amibake does not have.
 */
export function locateBody(
  { block, scope }: ScopedBlock,
  schema: z.ZodMiniObject | undefined,
  options: LocateOptions,
): LocatedObject {
  const { shapes, labels } = schema === undefined ? NO_KEYS : keysOf(schema);
  const members: LocatedMember[] = [];
  const { attributes, blocks } = blocksOf(block.body, labels, options.problems);
  for (const attribute of attributes.values()) {
    const value = locateExpression(attribute.value, { ...options, scope });
    members.push(memberOf(attribute, checkedAttribute(attribute, value, shapes, options.problems)));
  }
  const inner = expandBlocks(blocks, scope, { ...options, labels: {} });
  const groups = byType(inner);
  for (const [type, group] of groups) {
    const member = locateBlocks(type, group, shapes.get(type), options);
    if (member !== undefined) members.push(member);
  }
  // Of a dynamic block that makes none, the type is judged all the same.
  for (const { type, labels } of blocks) {
    const [made] = labels;
    if (type !== "dynamic" || made === undefined || groups.has(made.text) || shapes.has(made.text)) continue;
    const name = { name: made.text, nameRange: made.range };
    members.push(memberOf(name, { kind: "unevaluated", location: made.range.start }));
  }
  return { kind: "object", location: block.typeRange.start, members };
}

type Shapes = ReadonlyMap<string, FieldShape>;

interface Keys {
  readonly shapes: Shapes;
  /** Of the blocks that can stand in it. */
  readonly labels: Readonly<Record<string, readonly string[]>>;
}

const DYNAMIC = { dynamic: ["type"] };
const NO_KEYS: Keys = { shapes: new Map(), labels: DYNAMIC };
/** A schema is asked for every block of every build. */
const known = new WeakMap<z.ZodMiniObject, Keys>();

function keysOf(schema: z.ZodMiniObject): Keys {
  const before = known.get(schema);
  if (before !== undefined) return before;
  const shapes = new Map(Object.entries(schema.shape).map(([key, field]) => [key, shapeOf(field)]));
  const blockKeys = [...shapes].filter(([, shape]) => isBlockShape(shape)).map(([key]) => key);
  const keys = { shapes, labels: { ...Object.fromEntries(blockKeys.map((key) => [key, []])), ...DYNAMIC } };
  known.set(schema, keys);
  return keys;
}

function memberOf({ name, nameRange }: Pick<Attribute, "name" | "nameRange">, value: LocatedValue): LocatedMember {
  const keyLocation = nameRange.start;
  return { key: name, keyLocation, locateInKey: () => keyLocation, value };
}

function checkedAttribute(
  { name, nameRange }: Attribute,
  value: LocatedValue,
  shapes: Shapes,
  problems: ProblemList,
): LocatedValue {
  const shape = shapes.get(name);
  if (shape === undefined || !isBlockShape(shape)) return value;
  problems.add(`"${name}" is a block`, { location: nameRange.start, hint: `Write ${name} { … } without "="` });
  return value;
}

function isBlockShape(shape: FieldShape): boolean {
  return shape.kind === "object" || (shape.kind === "list" && shapeOf(shape.element).kind === "object");
}

function locateBlocks(
  type: string,
  blocks: readonly ScopedBlock[],
  shape: FieldShape | undefined,
  options: LocateOptions,
): LocatedMember | undefined {
  const [first, second] = blocks;
  if (first === undefined) return undefined;
  const { problems } = options;
  const name = { name: type, nameRange: first.block.typeRange };
  if (shape !== undefined && !isBlockShape(shape)) {
    problems.add(`"${type}" is not a block`, {
      location: first.block.typeRange.start,
      hint: `Write ${type} = ${valueExample(shape)}`,
    });
    return memberOf(name, { kind: "unevaluated", location: first.block.typeRange.start });
  }
  for (const { block } of blocks) {
    const [label] = block.labels;
    if (label !== undefined) problems.add(`"${type}" has no label here`, { location: label.range.start });
  }
  if (shape?.kind === "list") {
    const element = shapeOf(shape.element);
    const schema = element.kind === "object" ? element.schema : undefined;
    const list: LocatedList = {
      kind: "array",
      location: first.block.typeRange.start,
      items: blocks.map((one) => locateBody(one, schema, options)),
    };
    return memberOf(name, list);
  }
  if (second !== undefined && shape !== undefined) {
    problems.add(`There can be one "${type}" only`, { location: second.block.typeRange.start });
  }
  return memberOf(name, locateBody(first, shape?.kind === "object" ? shape.schema : undefined, options));
}

function valueExample({ kind }: FieldShape): string {
  if (kind === "list" || kind === "tuple") return "[ … ]";
  return kind === "tags" || kind === "record" ? "{ … }" : "…";
}

/** In the order of the first of each type. */
function byType(blocks: readonly ScopedBlock[]): Map<string, ScopedBlock[]> {
  const groups = new Map<string, ScopedBlock[]>();
  for (const one of blocks) {
    const group = groups.get(one.block.type);
    if (group === undefined) groups.set(one.block.type, [one]);
    else group.push(one);
  }
  return groups;
}
