import { median } from "../median.ts";
import type { Measurement } from "./measure.ts";

/** The measurements of each tool, run by run: the same index is the same run. */
export type Results = Readonly<Record<string, readonly Measurement[]>>;

const QUANTITIES = [
  { name: "wall", unit: "s", of: (run: Measurement) => run.wallSeconds, digits: 2 },
  { name: "CPU", unit: "s", of: (run: Measurement) => run.cpuSeconds, digits: 2 },
  { name: "peak memory", unit: "MiB", of: (run: Measurement) => run.peakMemoryMib, digits: 0 },
] as const;

/** A Markdown table: medians with their range, and the medians of the paired ratios to the first tool. */
export function resultTable(results: Results): string[] {
  const tools = Object.entries(results);
  const [, first = []] = tools[0] ?? [];
  const heading = QUANTITIES.flatMap(({ name, unit }) => [`${name}, ${unit}`, "ratio"]);
  return [
    `| tool | ${heading.join(" | ")} |`,
    `|---|${heading.map(() => "---:|").join("")}`,
    ...tools.map(([tool, runs]) => {
      const cells = QUANTITIES.flatMap(({ of, digits }) => [
        spread(runs.map(of), digits),
        pairedRatio(runs.map(of), first.map(of)).toFixed(2),
      ]);
      return `| ${tool} | ${cells.join(" | ")} |`;
    }),
  ];
}

/** The median over the runs of `values[run] / base[run]`. */
export function pairedRatio(values: readonly number[], base: readonly number[]): number {
  return median(values.map((value, run) => value / (base[run] ?? Number.NaN)));
}

function spread(values: readonly number[], digits: number): string {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return `${median(values).toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
}
