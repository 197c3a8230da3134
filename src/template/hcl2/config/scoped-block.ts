import type { ProblemList } from "../../../base/problems.ts";
import { nearMiss } from "../../../base/suggest.ts";
import { innerScope, type Scope } from "../evaluate/scope.ts";
import type { Attribute, Block, Expression } from "../syntax/syntax-tree.ts";
import { numberValue, objectValue, stringValue } from "../values/construct.ts";
import { entriesOf, isKnown, itemsOf } from "../values/contents.ts";
import { convert } from "../values/convert.ts";
import { type HclValue, STRING } from "../values/value.ts";
import { blocksOf } from "./body-blocks.ts";
import { mustBeKnown, tryEvaluate } from "./evaluation.ts";
import { literalText } from "./literal-text.ts";
import { isJsonFile } from "./template-files.ts";

/** A block with the names that its expressions can use. */
export interface ScopedBlock {
  readonly block: Block;
  readonly scope: Scope;
}

interface ExpandOptions {
  readonly problems: ProblemList;
  /** Labels of the blocks that can stand here: a `dynamic` one must give as many. */
  readonly labels: Readonly<Record<string, readonly string[]>>;
}

/** The blocks of a body, in their order, with those that its `dynamic` blocks make. */
export function expandBlocks(blocks: readonly Block[], scope: Scope, options: ExpandOptions): ScopedBlock[] {
  return blocks.flatMap((block) =>
    block.type === "dynamic" ? expandDynamic(block, scope, options) : [{ block, scope }],
  );
}

function expandDynamic(block: Block, scope: Scope, options: ExpandOptions): ScopedBlock[] {
  const { problems } = options;
  const [label] = block.labels;
  if (label === undefined || block.labels.length !== 1) {
    problems.add('A "dynamic" block has a label: the type of the blocks that it makes', {
      location: block.typeRange.start,
      hint: 'Write dynamic "tag" { for_each = …, content { … } }',
    });
    return [];
  }
  if (!canMake(label, options)) return [];
  const parts = readDynamic(block, label.text, problems);
  if (parts === undefined) return [];
  const elements = readElements(parts.forEach, { scope, problems });
  return elements.map(([key, value]) => {
    const iterator = objectValue([
      ["key", key],
      ["value", value],
    ]);
    const inner = innerScope(scope, new Map([[parts.iterator, iterator]]));
    const labels = labelsOf(parts.labels, inner, options, block);
    return {
      scope: inner,
      block: { type: label.text, typeRange: label.range, range: block.range, labels, body: parts.content.body },
    };
  });
}

/** Whether a dynamic block can make blocks of a type. Where nothing is known of the types, they are judged later. */
function canMake({ text, range }: Block["labels"][number], { labels, problems }: ExpandOptions): boolean {
  const location = range.start;
  if (text === "dynamic") {
    problems.add("A dynamic block cannot make dynamic blocks", { location });
    return false;
  }
  const known = Object.keys(labels).filter((type) => type !== "dynamic");
  if (known.length === 0 || known.includes(text)) return true;
  const meant = nearMiss(text, known);
  const hint =
    meant === undefined ? `There are ${known.map((type) => `"${type}"`).join(", ")}` : `Did you mean "${meant}"?`;
  problems.add(`A dynamic block cannot make blocks of the type "${text}" here`, { location, hint });
  return false;
}

interface Dynamic {
  readonly forEach: Expression;
  readonly iterator: string;
  readonly labels: Expression | undefined;
  readonly content: Block;
}

const KEYS = ["for_each", "iterator", "labels", "content"];

function readDynamic(block: Block, type: string, problems: ProblemList): Dynamic | undefined {
  const { attributes, blocks } = blocksOf(block.body, { content: [] }, problems);
  const others = [
    ...[...attributes.values()].map(({ name, nameRange }) => ({ name, range: nameRange })),
    ...blocks.map((inner) => ({ name: inner.type, range: inner.typeRange })),
  ].filter(({ name }) => !KEYS.includes(name));
  for (const { name, range } of others) {
    const meant = nearMiss(name, KEYS);
    const hint = meant === undefined ? `What the blocks have in them stands in "content"` : `Did you mean "${meant}"?`;
    problems.add(`Unknown key "${name}" of a dynamic block`, { location: range.start, hint });
  }
  const contents = blocks.filter((inner) => inner.type === "content");
  const [content, second] = contents;
  const forEach = attributes.get("for_each")?.value;
  for (const [key, isThere] of [
    ["for_each", forEach !== undefined],
    ["content", content !== undefined],
  ] as const) {
    if (!isThere) problems.add(`The key "${key}" of a dynamic block is missing`, { location: block.typeRange.start });
  }
  if (second !== undefined) problems.add('A dynamic block has one "content"', { location: second.typeRange.start });
  if (forEach === undefined || content === undefined) return undefined;
  const iterator = readIterator(attributes.get("iterator"), problems) ?? type;
  return { forEach, iterator, labels: attributes.get("labels")?.value, content };
}

/** A name without quotes; in JSON, where there is none, with them. */
function readIterator(attribute: Attribute | undefined, problems: ProblemList): string | undefined {
  if (attribute === undefined) return undefined;
  const { value } = attribute;
  const text = isJsonFile(value.range.start.file) ? literalText(value) : undefined;
  if (text !== undefined) return text;
  if (value.kind === "variable") return value.name;
  problems.add('"iterator" must be a name without quotes', { location: value.range.start });
  return undefined;
}

/** Keys and values; of a set both are the element. None if they are not known, of which nothing can be said. */
function readElements(
  expression: Expression,
  { scope, problems }: { scope: Scope; problems: ProblemList },
): (readonly [HclValue, HclValue])[] {
  const value = tryEvaluate(expression, { scope, problems });
  if (value === undefined) return [];
  if (!isKnown(value)) {
    if (mustBeKnown({ scope, problems })) {
      problems.add('"for_each" must be known before the build runs', { location: expression.range.start });
    }
    return [];
  }
  const { content, type } = value;
  if (Array.isArray(content)) {
    return itemsOf(value).map((item, index) => [type.kind === "set" ? item : numberValue(index), item] as const);
  }
  if (content instanceof Map) return [...entriesOf(value)].map(([key, entry]) => [stringValue(key), entry] as const);
  problems.add('"for_each" must be a list, a set, a map or an object', { location: expression.range.start });
  return [];
}

function labelsOf(
  expression: Expression | undefined,
  scope: Scope,
  { problems, labels: wanted }: ExpandOptions,
  block: Block,
): Block["labels"] {
  const type = block.labels[0]?.text ?? "";
  const names = Object.hasOwn(wanted, type) ? (wanted[type] ?? []) : [];
  const value = expression === undefined ? undefined : tryEvaluate(expression, { scope, problems });
  const items = value !== undefined && Array.isArray(value.content) ? itemsOf(value) : [];
  const location = (expression?.range ?? block.typeRange).start;
  const isKnownList = value === undefined || (isKnown(value) && items.every(isKnown));
  if (!isKnownList && mustBeKnown({ scope, problems })) {
    problems.add('"labels" must be known before the build runs', { location });
  }
  if (!isKnownList) return names.map((text) => ({ text, range: block.typeRange }));
  const texts = items.map(textIn);
  if (texts.length !== names.length || texts.includes(undefined)) {
    const count = names.length === 0 ? "no labels" : `a label for its ${names.join(" and one for its ")}`;
    problems.add(`"labels" of a dynamic "${type}" block must have ${count}`, { location });
  }
  return texts.flatMap((text) => (text === undefined ? [] : [{ text, range: expression?.range ?? block.typeRange }]));
}

function textIn(value: HclValue): string | undefined {
  if (value.type.kind !== "string" && value.type.kind !== "number") return undefined;
  const { content } = convert(value, STRING);
  return typeof content === "string" ? content : undefined;
}
