// The schema is documented in docs/json-events.md: fields are only ever added.
import type { OutputStream } from "../cli-context.ts";
import type { BuildRenderer, RunResult } from "./build-renderer.ts";
import type { CleanEvent } from "./clean-events.ts";
import { sanitise } from "./sanitise.ts";

/** One JSON object a line, on standard output. */
export class JsonRenderer implements BuildRenderer {
  readonly #stdout: OutputStream;
  readonly #now: () => Date;

  constructor(stdout: OutputStream, now: () => Date = () => new Date()) {
    this.#stdout = stdout;
    this.#now = now;
  }

  event(event: CleanEvent): void {
    const { time, build, type, ...data } = event;
    const shown = type === "output" && "line" in data ? { ...data, line: sanitise(data.line) } : data;
    this.#write({ time: time.toISOString(), build, type, ...shown });
  }

  note(text: string): void {
    this.#write({ time: this.#now().toISOString(), type: "note", text });
  }

  result(result: RunResult): void {
    this.#write({ time: this.#now().toISOString(), type: "result", ...result });
  }

  [Symbol.dispose](): void {
    // Every line is complete when it is written.
  }

  #write(record: Readonly<Record<string, unknown>>): void {
    this.#stdout.write(`${JSON.stringify(record)}\n`);
  }
}
