import { median } from "../median.ts";

/** How long the steps of builds took, by what amibake printed of them. */
export class StepTimes {
  readonly #seconds = new Map<string, number[]>();

  /** @param output of a build without colors. */
  add(output: string): void {
    const begun: string[] = [];
    for (const line of output.split("\n")) {
      const [, title] = /^==> [^:]+: (.*)$/.exec(line) ?? [];
      if (title !== undefined) begun.push(withoutIds(title));
      const [, seconds] = /^ {4}[^:]+: done in ([\d.]+) s$/.exec(line) ?? [];
      const step = begun.at(-1);
      if (seconds !== undefined && step !== undefined) {
        this.#seconds.set(step, [...(this.#seconds.get(step) ?? []), Number(seconds)]);
      }
    }
  }

  /** A Markdown table of medians. */
  table(): string[] {
    const rows = [...this.#seconds].map(([step, seconds]) => `| ${step} | ${median(seconds).toFixed(1)} |`);
    return ["| step | s |", "|---|---:|", ...rows];
  }
}

function withoutIds(title: string): string {
  return title.replaceAll(/\b(snap|vol|ami)-[0-9a-f]+/g, "$1-…").replaceAll(/\/dev\/\w+/g, "/dev/…");
}
