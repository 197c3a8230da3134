import { describeJson, type JsonMember, type JsonObject, type JsonValue } from "../../../base/json/json-value.ts";
import type { ProblemList } from "../../../base/problems.ts";
import { addTwice, jsonExpression, keyRange, rangeAt } from "./json-expression.ts";
import type { BlockSchema, BlockShape } from "./packer-blocks.ts";
import type { Attribute, Block, Body } from "./syntax-tree.ts";

/** A property that says nothing: JSON has no comments. */
const COMMENT = "//";

/**
 * Tells blocks from attributes in a body of the JSON form, where both are properties. A body of the native form, and one that
 * is decided already, come back as they are.
 */
export function decideBlocks(body: Body, schema: BlockSchema, problems: ProblemList): Body {
  return body.undecided === undefined ? body : bodyOf(body.undecided, schema, problems);
}

/** @param schema `undefined` leaves the body undecided. */
export function bodyOf(object: JsonObject, schema: BlockSchema | undefined, problems: ProblemList): Body {
  if (schema === undefined) return new UndecidedBody(object, problems);
  const attributes = new Map<string, Attribute>();
  const blocks: Block[] = [];
  for (const member of object.members) {
    if (member.key === COMMENT) continue;
    const shape = schema.get(member.key);
    if (shape !== undefined) blocks.push(...new Unpacker(member, shape, problems).unpack(member.value, []));
    else if (attributes.has(member.key)) addTwice(member, problems);
    else attributes.set(member.key, attributeOf(member, problems));
  }
  return { attributes, blocks, range: rangeAt(object.location) };
}

function attributeOf(member: JsonMember, problems: ProblemList): Attribute {
  const nameRange = keyRange(member);
  return { name: member.key, nameRange, value: jsonExpression(member.value, problems), range: nameRange };
}

/** All of its members are attributes, which are made when somebody asks: it is as likely that they become blocks. */
class UndecidedBody implements Body {
  readonly undecided: JsonObject;
  readonly blocks = [];
  readonly range;
  readonly #problems: ProblemList;
  #attributes: ReadonlyMap<string, Attribute> | undefined;

  constructor(object: JsonObject, problems: ProblemList) {
    this.undecided = object;
    this.range = rangeAt(object.location);
    this.#problems = problems;
  }

  get attributes(): ReadonlyMap<string, Attribute> {
    // One that is there twice may be a block, and is told when that is decided.
    this.#attributes ??= new Map(
      this.undecided.members
        .filter(({ key }) => key !== COMMENT)
        .map((member) => [member.key, attributeOf(member, this.#problems)]),
    );
    return this.#attributes;
  }
}

/** Makes the blocks of a property: `{"label": {"label": {…}}}`, where each object may also be a list of such. */
class Unpacker {
  readonly #member: JsonMember;
  readonly #shape: BlockShape;
  readonly #problems: ProblemList;

  constructor(member: JsonMember, shape: BlockShape, problems: ProblemList) {
    this.#member = member;
    this.#shape = shape;
    this.#problems = problems;
  }

  unpack(value: JsonValue, labels: Block["labels"]): Block[] {
    const isBody = labels.length === this.#shape.labelCount;
    if (isBody && value.kind === "null") return [];
    const values = value.kind === "array" ? value.items : [value];
    return values.flatMap((item) => {
      if (item.kind !== "object") return this.#complain(item, labels);
      if (isBody) return [this.#block(item, labels)];
      return item.members
        .filter(({ key }) => key !== COMMENT)
        .flatMap((member) => this.unpack(member.value, [...labels, { text: member.key, range: keyRange(member) }]));
    });
  }

  #block(object: JsonObject, labels: Block["labels"]): Block {
    const typeRange = keyRange(this.#member);
    const body = bodyOf(object, this.#shape.blocks, this.#problems);
    return { type: this.#member.key, typeRange, labels, body, range: typeRange };
  }

  #complain(value: JsonValue, labels: Block["labels"]): Block[] {
    const type = this.#member.key;
    const missing = this.#shape.labelCount - labels.length;
    const what = missing === 0 ? "" : `, with its ${missing === 1 ? "label as key" : "labels as keys"}`;
    const form = `"${type}": ${'{"label": '.repeat(this.#shape.labelCount)}{…}${"}".repeat(this.#shape.labelCount)}`;
    this.#problems.add(`The block "${type}" must be an object${what}, not ${describeJson(value)}`, {
      location: value.location,
      hint: `It is written: ${form}`,
    });
    return [];
  }
}
