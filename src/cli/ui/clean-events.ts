import type { BuildEvent, NamedBuildEvent } from "../../build/build-events.ts";
import { type ErrorReport, errorReport } from "./error-report.ts";
import { createMask } from "./mask.ts";
import { sanitise, sanitiseKeepingColours } from "./sanitise.ts";

/** Cleaned of secrets and of control characters. */
export interface CleanLeftover {
  readonly kind: string;
  readonly id: string;
  readonly removeWith: string;
  readonly error: ErrorReport;
}

type EventWithError = { readonly type: "build-failed" | "leftover" };

/** A build event that may be shown as it is. Colours are kept in `output` lines only. */
export type CleanEvent = (
  | Exclude<BuildEvent, EventWithError>
  | { readonly type: "leftover"; readonly leftover: CleanLeftover }
  | { readonly type: "build-failed"; readonly error: ErrorReport; readonly elapsedMs: number }
) & { readonly build: string; readonly time: Date };

/** Replaces secrets and removes control characters, in everything that is shown. */
export interface Cleaner {
  event(event: NamedBuildEvent): CleanEvent;
  leftover(leftover: { kind: string; id: string; removeWith: string; error: unknown }): CleanLeftover;
  error(thrown: unknown): ErrorReport;
  text(text: string): string;
  /** A copy of plain data with every text in it cleaned. */
  data<T>(data: T): T;
}

export function createCleaner(secrets: Iterable<string>): Cleaner {
  const mask = createMask(secrets);
  // An error keeps its line ends: a stack or the last lines of a command.
  const cleanText = (text: string): string =>
    mask(text)
      .split("\n")
      .map((line) => mask(sanitise(line)))
      .join("\n");
  const leftover: Cleaner["leftover"] = ({ kind, id, removeWith, error }) =>
    mapStrings({ kind, id, removeWith, error: errorReport(error) }, cleanText);
  return {
    text: cleanText,
    data: (data) => mapStrings(data, cleanText),
    error: (thrown) => mapStrings(errorReport(thrown), cleanText),
    leftover,
    event(event) {
      if (event.type === "leftover") {
        const { build, time } = event;
        return { type: "leftover", leftover: leftover(event.leftover), build, time };
      }
      if (event.type === "build-failed") {
        const { error, ...rest } = event;
        return { ...rest, error: mapStrings(errorReport(error), cleanText) };
      }
      if (event.type === "output") return { ...event, line: sanitiseKeepingColours(mask(event.line)) };
      return mapStrings(event, cleanText);
    },
  };
}

// Words of amibake's own, which tell what the rest is.
const VOCABULARY: ReadonlySet<string> = new Set(["type", "kind", "stream", "code"]);

/** A copy of plain data with each string replaced; keys, words of amibake's own and other values stay. */
function mapStrings<T>(value: T, change: (text: string) => string): T {
  const visit = (part: unknown): unknown => {
    if (typeof part === "string") return change(part);
    if (Array.isArray(part)) return part.map(visit);
    if (part === null || typeof part !== "object" || part instanceof Date) return part;
    return Object.fromEntries(
      Object.entries(part).map(([key, child]) => [key, VOCABULARY.has(key) ? child : visit(child)]),
    );
  };
  return visit(value) as T;
}
