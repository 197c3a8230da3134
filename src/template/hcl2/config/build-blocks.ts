import type { ProblemList } from "../../../base/problems.ts";
import type { SourceLocation } from "../../../base/source-location.ts";
import { nearMiss } from "../../../base/suggest.ts";
import type { LocatedValue } from "../../plan/located-value.ts";
import { describeValue } from "../../plan/located-value.ts";
import type { Scope } from "../evaluate/scope.ts";
import type { Attribute, Block } from "../syntax/syntax-tree.ts";
import { blocksOf } from "./body-blocks.ts";
import { CTY } from "./cty-conversion.ts";
import { locateExpression } from "./locate-expression.ts";
import { isName, NAME_HINT } from "./names.ts";
import { hasLabels } from "./root-blocks.ts";
import { expandBlocks, type ScopedBlock } from "./scoped-block.ts";
import type { Source } from "./sources.ts";

/** What can stand in a `build` block, with its labels. */
export const BUILD_LABELS = {
  source: ["source"],
  provisioner: ["type"],
  "error-cleanup-provisioner": ["type"],
  "post-processor": ["type"],
  "post-processors": [],
  dynamic: ["type"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** A `build` block. */
export interface BuildBlock {
  /** Empty without one. */
  readonly name: string;
  readonly description: string | undefined;
  readonly location: SourceLocation;
  readonly uses: readonly SourceUse[];
  /** Whether what it says of its sources is wrong, which has been told. */
  readonly hasWrongSource: boolean;
  readonly scope: Scope;
  /** All but those of sources; dynamic ones not expanded yet, since they may ask for the source. */
  readonly blocks: readonly Block[];
}

/** A source that a build starts from. */
export interface SourceUse {
  readonly source: Source;
  /** What it is called in this build: its name, or another one. */
  readonly name: string;
  readonly additions: ScopedBlock | undefined;
  readonly location: SourceLocation;
}

interface ReadOptions {
  readonly sources: ReadonlyMap<string, Source>;
  readonly problems: ProblemList;
}

const KEYS = ["name", "description", "sources"];
// Packer's for a service of HashiCorp's.
const REGISTRY = "hcp_packer_registry";

export function readBuildBlock({ block, scope }: ScopedBlock, options: ReadOptions): BuildBlock {
  const { problems } = options;
  const { attributes, blocks } = blocksOf(block.body, { ...BUILD_LABELS, [REGISTRY]: [] }, problems);
  for (const { name, nameRange } of attributes.values()) {
    if (!KEYS.includes(name)) addUnknown(name, nameRange.start, problems);
  }
  const good = blocks.filter((inner) => isBuildBlock(inner, problems));
  const before = problems.count;
  const expanded = expandBlocks(
    good.filter(({ type, labels }) => type === "source" || (type === "dynamic" && labels[0]?.text === "source")),
    scope,
    { problems, labels: BUILD_LABELS },
  );
  const uses = [
    ...listedSources(attributes.get("sources"), { ...options, scope }),
    ...expanded.flatMap((one) => readSourceBlock(one, options) ?? []),
  ];
  const location = block.typeRange.start;
  if (uses.length === 0 && !attributes.has("sources") && expanded.length === 0) {
    problems.add("The build has no sources", { location, hint: 'Write sources = ["source.amazon-chroot.name"]' });
  }
  const hasWrongSource = problems.count > before;
  return {
    name: readText(attributes.get("name"), { problems, scope }) ?? "",
    description: readText(attributes.get("description"), { problems, scope }),
    location,
    uses,
    hasWrongSource,
    scope,
    blocks: good.filter(({ type }) => type !== "source"),
  };
}

function isBuildBlock(block: Block, problems: ProblemList): boolean {
  const { type, typeRange } = block;
  if (type === REGISTRY) {
    problems.add(`"${type}" is for a service of HashiCorp's, which amibake does not use`, {
      location: typeRange.start,
      hint: "Leave the block out",
    });
    return false;
  }
  if (!Object.hasOwn(BUILD_LABELS, type)) {
    addUnknown(type, typeRange.start, problems);
    return false;
  }
  return hasLabels(block, BUILD_LABELS[type as keyof typeof BUILD_LABELS], problems);
}

function addUnknown(name: string, location: SourceLocation, problems: ProblemList): void {
  const known = [...KEYS, ...Object.keys(BUILD_LABELS).filter((type) => type !== "dynamic")];
  const meant = nearMiss(name, known);
  const hint =
    meant === undefined ? `There are ${known.map((key) => `"${key}"`).join(", ")}` : `Did you mean "${meant}"?`;
  problems.add(`Unknown key "${name}" of a build`, { location, hint });
}

function readText(
  attribute: Attribute | undefined,
  options: { readonly scope: Scope; readonly problems: ProblemList },
): string | undefined {
  if (attribute === undefined) return undefined;
  const value = locateExpression(attribute.value, options);
  if (value.kind === "string") return value.value;
  if (value.kind === "number" || value.kind === "boolean") return CTY.toText(value);
  if (value.kind !== "unevaluated" && value.kind !== "null") {
    options.problems.add(`"${attribute.name}" of a build must be a string, not ${describeValue(value)}`, {
      location: value.location,
    });
  }
  return undefined;
}

function listedSources(
  attribute: Attribute | undefined,
  options: ReadOptions & { readonly scope: Scope },
): SourceUse[] {
  if (attribute === undefined) return [];
  const value = locateExpression(attribute.value, options);
  if (value.kind === "unevaluated") return [];
  if (value.kind !== "array") {
    const message = `"sources" of a build must be a list, not ${describeValue(value)}`;
    options.problems.add(message, { location: value.location });
    return [];
  }
  return value.items.flatMap((item) => listedSource(item, options) ?? []);
}

function listedSource(item: LocatedValue, options: ReadOptions): SourceUse | undefined {
  const { location } = item;
  if (item.kind === "string" && !item.value.split(".").every(isName)) {
    options.problems.add(`"${item.value}" cannot name a source in a list`, { location, hint: NAME_HINT });
    return undefined;
  }
  if (item.kind === "string") return useOf(item.value, location, undefined, options);
  if (item.kind !== "unevaluated") {
    options.problems.add(`A source of a build must be a string, not ${describeValue(item)}`, { location });
  }
  return undefined;
}

function readSourceBlock(one: ScopedBlock, options: ReadOptions): SourceUse | undefined {
  const { block, scope } = one;
  const [label] = block.labels;
  if (label === undefined) return undefined;
  const attributes = new Map(block.body.attributes);
  const name = readText(attributes.get("name"), { ...options, scope });
  attributes.delete("name");
  const additions = { block: { ...block, body: { ...block.body, attributes } }, scope };
  const use = useOf(label.text, label.range.start, additions, options);
  return use === undefined ? undefined : { ...use, name: name || use.name };
}

function useOf(
  reference: string,
  location: SourceLocation,
  additions: ScopedBlock | undefined,
  { sources, problems }: ReadOptions,
): SourceUse | undefined {
  const key = reference.replace(/^source\./, "");
  const source = sources.get(key);
  if (source?.name.includes(".")) {
    problems.add(`A build cannot use the source "${reference}": its name has a dot`, { location, hint: NAME_HINT });
    return undefined;
  }
  if (source !== undefined) return { source, name: source.name, additions, location };
  const known = [...sources.keys()];
  const meant = nearMiss(key, known);
  const all =
    known.length === 0
      ? "The template has no sources"
      : `There are ${known.map((one) => `"source.${one}"`).join(", ")}`;
  problems.add(`There is no source "${reference}"`, {
    location,
    hint: meant === undefined ? all : `Did you mean "source.${meant}"?`,
  });
  return undefined;
}
