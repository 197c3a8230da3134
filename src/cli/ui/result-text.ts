import { countOf, formatDuration } from "../../base/units.ts";
import type { RunResult } from "./build-renderer.ts";
import type { CleanLeftover } from "./clean-events.ts";
import type { Colours } from "./colours.ts";
import { formatError } from "./format-error.ts";

/** What came out: each image with its region and snapshots. */
export function artifactText({ artifacts, elapsedMs }: RunResult, colours: Colours): string[] {
  if (artifacts.length === 0) return [];
  const lines = ["", `Built ${countOf(artifacts.length, "image")} in ${formatDuration(elapsedMs)}`];
  for (const { build, artifact } of artifacts) {
    lines.push(`  ${colours.bold(build)}: ${artifact.imageName}`);
    for (const [region, imageId] of Object.entries(artifact.images)) {
      const snapshots = artifact.snapshots[region] ?? [];
      lines.push(`    ${region}: ${colours.bold(imageId)} (${plural("snapshot", snapshots)} ${snapshots.join(", ")})`);
    }
  }
  return lines;
}

/** Why builds failed, each reason once, and then what was left behind. */
export function failureText({ artifacts, failures, leftovers }: RunResult, colours: Colours): string[] {
  const isAlone = new Set([...artifacts, ...failures].map(({ build }) => build)).size === 1;
  const isInterrupted = failures.length > 0 && failures.every(({ error }) => error.code === "ERR_INTERRUPTED");
  const seen = new Set<string>();
  const lines: string[] = [];
  for (const { build, error } of failures) {
    const label = isInterrupted ? "Interrupted" : isAlone ? "Error" : `Error in ${build}`;
    const block = formatError(error, colours, label);
    if (seen.has(block.join("\n"))) continue;
    seen.add(block.join("\n"));
    lines.push("", ...block);
  }
  return [...lines, ...leftoverText(leftovers, colours)];
}

export function leftoverText(leftovers: readonly CleanLeftover[], colours: Colours): string[] {
  if (leftovers.length === 0) return [];
  const lines = ["", colours.red(colours.bold("Left behind:"))];
  for (const { kind, id, enterWith, removeWith, error } of leftovers) {
    lines.push(`  ${kind} ${id}: ${error.message}`);
    if (enterWith !== undefined) lines.push(`    enter it with: ${enterWith}`);
    lines.push(`    remove it with: ${removeWith}`);
  }
  return lines;
}

function plural(noun: string, things: readonly unknown[]): string {
  return things.length === 1 ? noun : `${noun}s`;
}
