import { join } from "node:path";
import { ROOT } from "./source-files.ts";

/** Where the test runner has put what `bundle-tests.mjs` makes. */
export const BUNDLES_VARIABLE = "AMIBAKE_TEST_BUNDLES";

export const REPORTER = "scripts/testing/event-lines.ts";

/** Programs that tests start, from the repository on. */
export const TEST_PROGRAMS = [
  REPORTER,
  "test/fixtures/journal-writer.ts",
  "test/fixtures/storage-campaign.ts",
  "test/fixtures/fuzz-worker.ts",
  "test/fixtures/block-client.ts",
  "test/fixtures/hold-overlay.ts",
  "test/fixtures/fast-block-server.ts",
] as const;

export type TestProgram = (typeof TEST_PROGRAMS)[number];

/** The argument vector that runs a program of the tests. */
export function programCommand(program: TestProgram): string[] {
  const path = programPath(program);
  return [process.execPath, ...(path.endsWith(".ts") ? ["--import", "tsx"] : []), path];
}

/** Its bundle, if the runner has made some; else its source, which needs tsx. */
export function programPath(program: TestProgram): string {
  const bundles = process.env[BUNDLES_VARIABLE];
  return bundles === undefined ? join(ROOT, program) : bundleOf(program, bundles);
}

export function bundleOf(file: string, bundles: string): string {
  return join(bundles, file.replace(/\.ts$/, ".js"));
}
