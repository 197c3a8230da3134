// A reporter for node:test that writes one JSON object a line, for run-test-file.ts to read.
import type { TestEvent } from "node:test/reporters";
import { inspect } from "node:util";

/** One finished test, or something that node:test says about the whole file. */
export type TestLine =
  | { readonly type: "passed" | "skipped"; readonly name: string }
  | { readonly type: "failed"; readonly name: string; readonly detail: string }
  | { readonly type: "diagnostic"; readonly detail: string };

// biome-ignore lint/style/noDefaultExport: node --test-reporter takes the default export.
export default async function* eventLines(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const path: string[] = [];
  for await (const event of events) {
    // A parent starts before its children, so that the names above a test are known when it ends.
    if (event.type === "test:start") path.splice(event.data.nesting, path.length, event.data.name);
    const line = lineOf(event, path);
    if (line !== undefined) yield `${JSON.stringify(line)}\n`;
  }
}

function lineOf(event: TestEvent, path: readonly string[]): TestLine | undefined {
  if (event.type === "test:diagnostic") return { type: "diagnostic", detail: event.data.message };
  if (event.type !== "test:pass" && event.type !== "test:fail") return undefined;
  const name = [...path.slice(0, event.data.nesting), event.data.name].join(" > ");
  const isSuite = event.data.details.type === "suite";
  if (event.type === "test:pass") {
    if (isSuite) return undefined;
    return { type: isSkipped(event.data.skip) ? "skipped" : "passed", name };
  }
  const error: Error & { cause?: unknown; failureType?: string } = event.data.details.error;
  // Its failed children tell already.
  if (error.failureType === "subtestsFailed") return undefined;
  return { type: "failed", name, detail: inspect(error.cause ?? error, { depth: 6 }) };
}

function isSkipped(skip: string | boolean | undefined): boolean {
  return skip !== undefined && skip !== false;
}
