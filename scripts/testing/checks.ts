import { runToExit } from "../../src/linux/run-command.ts";
import type { TestFileResult } from "./run-test-file.ts";

/** A command that has to end with exit code 0; it counts as one test. */
export interface Check {
  readonly name: string;
  readonly argv: readonly string[];
}

const BIN = "node_modules/.bin";

export const CHECKS: readonly Check[] = [
  { name: "build", argv: ["node", "scripts/build.mjs"] },
  { name: "types", argv: [`${BIN}/tsc`, "--noEmit"] },
  { name: "lint", argv: [`${BIN}/biome`, "check", "--error-on-warnings", "."] },
  { name: "unused code", argv: [`${BIN}/knip`] },
  {
    name: "shell scripts",
    argv: ["shellcheck", "--external-sources", "scripts/demo", "scripts/test", "scripts/make-base-image", ".ci/run"],
  },
];

export async function runCheck(
  check: Check,
  options: { repository: string; environment: Record<string, string>; signal: AbortSignal },
): Promise<TestFileResult> {
  const startedAt = performance.now();
  const output: string[] = [];
  const { exitCode } = await runToExit(check.argv, {
    cwd: options.repository,
    env: options.environment,
    signal: options.signal,
    onLine: (_stream, line) => {
      output.push(line);
    },
  });
  return {
    file: check.name,
    elapsedMs: performance.now() - startedAt,
    passedCount: exitCode === 0 ? 1 : 0,
    skippedCount: 0,
    failures: exitCode === 0 ? [] : [{ name: check.argv.join(" "), detail: output.join("\n") }],
  };
}
