import assert from "node:assert/strict";
import type { ErrorReport } from "../../src/cli/ui/error-report.ts";
import { writeTemplate } from "./build-template.ts";
import type { TestCloud } from "./test-cloud.ts";

export interface JsonBuild {
  readonly exitCode: number | null;
  /** Missing if the build succeeded. */
  readonly error: ErrorReport | undefined;
  /** Ids that are left of it. */
  readonly made: readonly string[];
  readonly output: string;
}

/** Runs a build of one builder by the command, with --json. */
export async function buildAsJson(
  cloud: TestCloud,
  builder: Readonly<Record<string, unknown>>,
  provisioners: readonly Readonly<Record<string, unknown>>[],
  options: Parameters<TestCloud["amibake"]>[1] & {
    /** Keys of the template itself. */
    readonly more?: Readonly<Record<string, unknown>>;
  } = {},
): Promise<JsonBuild> {
  const template = await writeTemplate(cloud, { ami_name: "image {{uuid}}", ...builder }, provisioners, options.more);
  const earlier = new Set(await cloud.resources());
  const { exitCode, stdout, stderr } = await cloud.amibake(["build", "--json", template], options);
  const lines = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { type: string; error?: ErrorReport });
  const errors = lines.flatMap(({ type, error }) => (type === "build-failed" || type === "error" ? [error] : []));
  assert.ok(errors.length <= 1, stdout);
  const made = (await cloud.resources()).filter((id) => !earlier.has(id));
  return { exitCode, error: errors[0], made, output: stdout + stderr };
}
