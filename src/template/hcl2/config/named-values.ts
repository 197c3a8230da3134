import type { ProblemList } from "../../../base/problems.ts";
import type { SourceLocation } from "../../../base/source-location.ts";
import type { DataSources } from "../../data-sources.ts";
import type { ConformContext } from "../../plan/conform.ts";
import { references } from "../evaluate/references.ts";
import { innerScope, type Scope } from "../evaluate/scope.ts";
import type { Body, Expression } from "../syntax/syntax-tree.ts";
import { objectValue, unknownValue } from "../values/construct.ts";
import { DYNAMIC, type HclValue } from "../values/value.ts";
import { ValueLimitError } from "../values/value-size.ts";
import { askDataSource, type DataBlock } from "./data-blocks.ts";
import { tryEvaluate } from "./evaluation.ts";
import { type GraphNode, orderGraph } from "./graph.ts";
import type { LocalValue } from "./locals.ts";
import { addSecrets } from "./secrets.ts";
import { usesSensitive } from "./sensitive-names.ts";

interface Options {
  /** Of `var`, `path` and `packer`. */
  readonly scope: Scope;
  readonly goScope: ConformContext["scope"];
  readonly problems: ProblemList;
  readonly warnings: ProblemList;
  readonly secrets: Set<string>;
  readonly dataSources?: DataSources | undefined;
}

type NamedNode = GraphNode & { readonly location: SourceLocation } & (
    | { readonly kind: "local"; readonly key: string; readonly local: LocalValue }
    | { readonly kind: "data"; readonly key: string; readonly data: DataBlock }
  );

interface Values {
  readonly local: Map<string, HclValue>;
  /** By type, then by name. */
  readonly data: Map<string, Map<string, HclValue>>;
}

/**
 * Evaluates locals and asks data sources, each when what it uses has a value. Those that cannot have one are unknown, so that
 * nothing else is said of what uses them.
 *
 * @returns with the scope of sources and builds: the given one with `local` and `data`.
 */
export async function evaluateNamedValues(
  locals: ReadonlyMap<string, LocalValue>,
  dataBlocks: ReadonlyMap<string, DataBlock>,
  options: Options,
): Promise<{ readonly localValues: ReadonlyMap<string, HclValue>; readonly scope: Scope }> {
  const nodes = nodesOf(locals, dataBlocks);
  const { levels, circles } = orderGraph(nodes);
  for (const circle of circles) addCircle(circle, options.problems);
  const values: Values = { local: new Map(), data: new Map() };
  for (const { type } of dataBlocks.values()) values.data.set(type, new Map());
  const set = (node: NamedNode, value: HclValue): void => {
    if (node.kind === "local") values.local.set(node.key, value);
    else values.data.get(node.data.type)?.set(node.data.name, value);
  };
  // What nobody could order stays unknown.
  for (const node of nodes) set(node, unknownValue(DYNAMIC));
  for (const level of levels) {
    const found = await Promise.all(
      level.map(async (node) => [node, await evaluateNode(node, scopeOf(node, values, options), options)] as const),
    );
    for (const [node, value] of found) set(node, value);
  }
  return { localValues: values.local, scope: withNamedValues(options.scope, values, nodes.at(-1), options.problems) };
}

function nodesOf(locals: ReadonlyMap<string, LocalValue>, dataBlocks: ReadonlyMap<string, DataBlock>): NamedNode[] {
  const localNames = [...locals.keys()];
  const dataKeys = [...dataBlocks.keys()];
  /** A reference to all of them uses all: `keys(local)`. */
  const usesOf = (expressions: readonly Expression[]): string[] =>
    expressions.flatMap(references).flatMap(({ path: [root, ...path] }) => {
      if (root === "local")
        return path[0] === undefined ? localNames.map((key) => `local.${key}`) : [`local.${path[0]}`];
      if (root !== "data") return [];
      const [type, name] = path;
      const wanted = dataKeys.filter((key) => type === undefined || key.startsWith(`${type}.`));
      return name === undefined ? wanted.map((key) => `data.${key}`) : [`data.${type}.${name}`];
    });
  return [
    ...[...locals].map(([key, local]): NamedNode => {
      const { location, expression } = local;
      return { kind: "local", name: `local.${key}`, key, local, location, uses: usesOf([expression]) };
    }),
    ...[...dataBlocks].map(([key, data]): NamedNode => {
      const { location, block } = data;
      return { kind: "data", name: `data.${key}`, key, data, location, uses: usesOf(expressionsOf(block.body)) };
    }),
  ];
}

function expressionsOf(body: Body): Expression[] {
  const own = [...body.attributes.values()].map(({ value }) => value);
  return [...own, ...body.blocks.flatMap((block) => expressionsOf(block.body))];
}

/** `local` and `data` with no more in them than the node uses: most templates name many, and use few at once. */
function scopeOf(node: NamedNode, values: Values, { scope, problems }: Options): Scope {
  const used = new Set(node.uses);
  const only = (kind: string, named: ReadonlyMap<string, HclValue>) =>
    new Map([...named].filter(([name]) => used.has(`${kind}.${name}`)));
  const local = new Map(
    [...used].flatMap((name): [string, HclValue][] => {
      const key = name.startsWith("local.") ? name.slice("local.".length) : undefined;
      const value = key === undefined ? undefined : values.local.get(key);
      return key === undefined || value === undefined ? [] : [[key, value]];
    }),
  );
  const data = new Map([...values.data].map(([type, named]) => [type, only(`data.${type}`, named)]));
  return withNamedValues(scope, { local, data }, node, problems);
}

function withNamedValues(
  parent: Scope,
  { local, data }: Values,
  last: NamedNode | undefined,
  problems: ProblemList,
): Scope {
  const gather = (kind: string, object: () => HclValue): HclValue => {
    try {
      return object();
    } catch (error) {
      // Each value was small enough.
      if (!(error instanceof ValueLimitError)) throw error;
      problems.add(`The values of "${kind}" are too much together: ${error.message}`, { location: last?.location });
      return unknownValue(DYNAMIC);
    }
  };
  const dataObject = () => objectValue([...data].map(([type, named]) => [type, objectValue(named)] as const));
  return innerScope(
    parent,
    new Map([
      ["local", gather("local", () => objectValue(local))],
      ["data", gather("data", dataObject)],
    ]),
  );
}

async function evaluateNode(node: NamedNode, scope: Scope, options: Options): Promise<HclValue> {
  if (node.kind === "data") return askDataSource(node.data, { ...options, scope });
  const { expression, isSensitive, name, location } = node.local;
  const found = tryEvaluate(expression, { scope, problems: options.problems });
  if (found === undefined && isSensitive) options.problems.hideText(options.problems.linesOf(expression.range));
  const value = found ?? unknownValue(DYNAMIC);
  if (isSensitive || usesSensitive(expression, scope)) scope.sensitiveNames?.add(`local.${name}`);
  if (isSensitive) addSecrets(value, { ...options, what: `local "${name}"`, location });
  return value;
}

const CIRCLE_TOLD_MAX = 20;

function addCircle(circle: readonly NamedNode[], problems: ProblemList): void {
  const [first] = circle;
  if (first === undefined) return;
  const shown = circle
    .slice(0, CIRCLE_TOLD_MAX)
    .map(({ name, location: { file, line, column } }) => `${name} (${file}:${line}:${column})`);
  if (circle.length > CIRCLE_TOLD_MAX) shown.push(`${circle.length - CIRCLE_TOLD_MAX} more`);
  problems.add(`Values that need each other: ${[...shown, first.name].join(" -> ")}`, {
    location: first.location,
    hint: "Give one of them a value that does not use the others",
  });
}
