// Builds on images that attack the host that bakes them.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { flattenFailure, ToolError } from "../../src/base/errors.ts";
import type { BuildEvent } from "../../src/build/build-events.ts";
import { importDisk } from "./ask-cloud.ts";
import { makeDisk } from "./base-image.ts";
import { writeTemplate } from "./build-template.ts";
import { readHostState } from "./host-state.ts";
import { runBuildHere } from "./run-build.ts";
import type { TestCloud } from "./test-cloud.ts";

let count = 0;

/** Imports a disk whose root file system was changed before; returns the image's id. */
export async function importAttackImage(cloud: TestCloud, plant: (tree: string) => Promise<void>): Promise<string> {
  const scratch = await mkdtemp(join(cloud.scratch, "attack-"));
  try {
    const disk = join(scratch, "disk.raw");
    await makeDisk(disk, { layout: "whole-disk", scratch, plant });
    return (await importDisk(cloud.storeDirectory, { path: disk, name: `attack ${++count}` })).imageId;
  } finally {
    await rm(scratch, { recursive: true });
  }
}

export interface AttackOutcome {
  /** Of a build that succeeded. */
  readonly imageId: string | undefined;
  /** Everything that a failed build says: its error, the causes and the hints. */
  readonly failure: string;
  readonly events: readonly BuildEvent[];
  /** What commands in the image printed. */
  readonly output: readonly string[];
}

/**
 * Runs one build to its end. Whatever that is, nothing of it may be left but the image and its snapshot, and a failure
 * may be nothing but errors that a user can act on.
 */
export async function attack(
  cloud: TestCloud,
  builder: Readonly<Record<string, unknown>>,
  provisioners: readonly Readonly<Record<string, unknown>>[] = [],
): Promise<AttackOutcome> {
  const template = await writeTemplate(cloud, { ami_name: `attacked ${++count}`, ...builder }, provisioners);
  const earlier = new Set(await cloud.resources());
  const events: BuildEvent[] = [];
  const { results, leftovers } = await runBuildHere(cloud, template, { onEvent: (event) => events.push(event) });
  const [result] = results;
  assert.ok(result !== undefined);
  const made = (await cloud.resources()).filter((id) => !earlier.has(id)).map((id) => id.replace(/-.*/, ""));
  const story = JSON.stringify(events, undefined, 1);
  assert.deepEqual(leftovers, [], story);
  assert.deepEqual(made.sort(), "artifact" in result ? ["ami", "snap"] : [], story);
  assert.deepEqual(await stateOf(cloud), [], story);
  const output = events.flatMap((event) => (event.type === "output" ? [event.line] : []));
  if ("artifact" in result) return { imageId: Object.values(result.artifact.images)[0], failure: "", events, output };
  return { imageId: undefined, failure: describe(result.error), events, output };
}

/** Mounts, loop devices and nodes of a volume of this cloud: none between two builds. */
async function stateOf(cloud: TestCloud): Promise<string[]> {
  return [...(await readHostState())].filter((line) => line.includes(cloud.scratch));
}

function describe(error: unknown): string {
  const { primary, cleanup } = flattenFailure(error);
  const lines: string[] = [];
  for (const one of [primary, ...cleanup]) {
    assert.ok(one instanceof ToolError, `not an error for users: ${String(one)} ${(one as Error).stack}`);
    for (let cause: unknown = one; cause instanceof Error; cause = cause.cause) {
      lines.push(cause.message);
      if (cause instanceof ToolError && cause.hint !== undefined) lines.push(cause.hint);
    }
  }
  return lines.join("\n");
}

/** A shell provisioner. */
export const script = (...inline: string[]) => ({ type: "shell", inline });
