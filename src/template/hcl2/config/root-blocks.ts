import type { ProblemList } from "../../../base/problems.ts";
import { nearMiss } from "../../../base/suggest.ts";
import type { Block, Body } from "../syntax/syntax-tree.ts";
import { blocksOf } from "./body-blocks.ts";

/** The blocks of a template, each with what its labels are. */
const LABELS = {
  packer: [],
  variable: ["name"],
  variables: [],
  local: ["name"],
  locals: [],
  data: ["type", "name"],
  source: ["type", "name"],
  build: [],
  dynamic: ["type"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

type RootBlockType = keyof typeof LABELS;

/** The blocks of all files of a template, each with the labels that it has to have. */
export type RootBlocks = Readonly<Record<RootBlockType, readonly Block[]>>;

// Packer's for a service of HashiCorp's.
const REFUSED = new Set(["hcp_packer_registry"]);

export function collectBlocks(bodies: readonly Body[], problems: ProblemList): RootBlocks {
  const blocks: Record<RootBlockType, Block[]> = {
    ...{ packer: [], variable: [], variables: [], local: [], locals: [], data: [], source: [], build: [], dynamic: [] },
  };
  for (const body of bodies) {
    const found = blocksOf(body, LABELS, problems);
    for (const { name, nameRange } of found.attributes.values()) {
      problems.add(`Unknown key "${name}" of the template`, { location: nameRange.start, hint: attributeHint(name) });
    }
    for (const block of found.blocks) {
      if (!isRootBlock(block.type)) addUnknownBlock(block, problems);
      else if (hasLabels(block, LABELS[block.type], problems)) blocks[block.type].push(block);
    }
  }
  return blocks;
}

function isRootBlock(type: string): type is RootBlockType {
  return Object.hasOwn(LABELS, type);
}

function attributeHint(name: string): string {
  const meant = nearMiss(name, Object.keys(LABELS));
  if (meant !== undefined && isRootBlock(meant)) return `Did you mean the block ${blockExample(meant)}?`;
  return `A value of your own stands in a block: locals { ${name} = … }`;
}

function addUnknownBlock({ type, typeRange }: Block, problems: ProblemList): void {
  const location = typeRange.start;
  if (REFUSED.has(type)) {
    problems.add(`"${type}" is for a service of HashiCorp's, which amibake does not use`, {
      location,
      hint: "Leave the block out",
    });
    return;
  }
  const known = Object.keys(LABELS).filter((name) => name !== "dynamic");
  const meant = nearMiss(type, known);
  problems.add(`Unknown block "${type}" of the template`, {
    location,
    hint: meant === undefined ? `There are ${known.map((name) => `"${name}"`).join(", ")}` : `Did you mean "${meant}"?`,
  });
}

/** Whether a block has as many labels as it must have; if not, that is told. */
export function hasLabels(block: Block, wanted: readonly string[], problems: ProblemList): boolean {
  if (block.labels.length === wanted.length) return true;
  const extra = block.labels[wanted.length];
  const count =
    wanted.length === 0
      ? "no label"
      : `${wanted.length === 1 ? "a label" : "two labels"}, its ${wanted.join(" and its ")}`;
  const given = `${block.labels.length} label${block.labels.length === 1 ? "" : "s"}`;
  const name = block.labels[0]?.text ?? "";
  problems.add(`A "${block.type}" block has ${count}, not ${given}`, {
    location: (extra?.range ?? block.typeRange).start,
    hint:
      block.type === "build" && name !== ""
        ? `Name it inside: name = "${name}"`
        : `Write ${blockExample(block.type, wanted)}`,
  });
  return false;
}

function blockExample(type: string, labels: readonly string[] = isRootBlock(type) ? LABELS[type] : []): string {
  return [type, ...labels.map((label) => `"${label}"`), "{ … }"].join(" ");
}
