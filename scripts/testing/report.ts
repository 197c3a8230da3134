import pc from "picocolors";
import type { TestFileResult } from "./run-test-file.ts";

const SLOWEST_COUNT = 5;

/** One line for a file or a check that has ended. */
export function printResult(result: TestFileResult): void {
  const mark = result.failures.length === 0 ? pc.green("ok  ") : pc.red("FAIL");
  const counts = [`${result.passedCount} passed`];
  if (result.skippedCount > 0) counts.push(`${result.skippedCount} skipped`);
  if (result.failures.length > 0) counts.push(`${result.failures.length} failed`);
  console.log(`${mark} ${result.file.padEnd(60)} ${counts.join(", ").padEnd(22)} ${seconds(result.elapsedMs)}`);
}

/** Failures in full, the slowest files, and the counts as the last line. Whether all passed. */
export function printSummary(results: readonly TestFileResult[]): boolean {
  for (const result of results) {
    for (const failure of result.failures) {
      console.log(`\n${pc.red("FAIL")} ${result.file}`);
      if (failure.name !== result.file) console.log(`  ${pc.bold(failure.name)}`);
      console.log(failure.detail.replace(/^/gm, "    "));
    }
  }
  const slowest = results.toSorted((a, b) => b.elapsedMs - a.elapsedMs).slice(0, SLOWEST_COUNT);
  console.log(`\nSlowest: ${slowest.map((result) => `${result.file} ${seconds(result.elapsedMs)}`).join(", ")}`);
  const skippedCount = sum(results.map((result) => result.skippedCount));
  if (skippedCount > 0) console.log(`${skippedCount} skipped`);
  const failedCount = sum(results.map((result) => result.failures.length));
  console.log(`${sum(results.map((result) => result.passedCount))} passed, ${failedCount} failed`);
  return failedCount === 0;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
