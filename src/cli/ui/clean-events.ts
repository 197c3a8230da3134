import type { Leftover } from "../../base/errors.ts";
import type { Secrets } from "../../base/secrets.ts";
import { hideInExcerpt, type SourceExcerpt } from "../../base/source-excerpt.ts";
import type { AmiArtifact, BuildEvent, NamedBuildEvent } from "../../build/build-events.ts";
import { type ErrorReport, errorReport } from "./error-report.ts";
import { sanitise, sanitiseKeepingColours, visibleControls } from "./sanitise.ts";

/** Cleaned of secrets and of control characters. */
export interface CleanLeftover {
  readonly kind: string;
  readonly id: string;
  readonly removeWith: string;
  readonly enterWith?: string;
  readonly error: ErrorReport;
}

type EventWithError = { readonly type: "build-failed" | "leftover" };

/** A build event that may be shown as it is. Colours are kept in `output` lines only. */
export type CleanEvent = (
  | Exclude<BuildEvent, EventWithError>
  | { readonly type: "leftover"; readonly leftover: CleanLeftover }
  | {
      readonly type: "build-failed";
      readonly error: ErrorReport;
      readonly artifact?: AmiArtifact;
      readonly elapsedMs: number;
    }
) & { readonly build: string; readonly time: Date };

/** Replaces secrets and removes control characters, in everything that is shown. */
export interface Cleaner {
  event(event: NamedBuildEvent): CleanEvent;
  leftover(leftover: Leftover): CleanLeftover;
  error(thrown: unknown): ErrorReport;
  text(text: string): string;
  /** A copy of plain data with every text in it cleaned. */
  data<T>(data: T): T;
}

/** @param secrets it may learn of more meanwhile. */
export function createCleaner(secrets: Secrets): Cleaner {
  const mask = (text: string): string => secrets.hide(text);
  // An error keeps its line ends: a stack or the last lines of a command.
  const cleanText = (text: string): string =>
    mask(text)
      .split("\n")
      .map((line) => mask(sanitise(line)))
      .join("\n");
  const cleanOutput = (line: string): string => {
    const plain = sanitise(line);
    const masked = mask(plain);
    // A secret with a colour in its middle: without colours it is found.
    const coloured = sanitiseKeepingColours(mask(line));
    return sanitise(coloured) === masked ? coloured : masked;
  };
  const cleanError = (thrown: unknown): ErrorReport => {
    const { problems, ...rest } = errorReport(thrown);
    const report = mapStrings(rest, cleanText);
    if (problems === undefined) return report;
    const cleaned = problems.map(({ excerpt, ...problem }) => ({
      ...mapStrings(problem, cleanText),
      // Not as other texts: the mark must stay where it was.
      ...(excerpt === undefined ? {} : { excerpt: cleanExcerpt(excerpt, secrets) }),
    }));
    return { ...report, problems: cleaned };
  };
  const leftover: Cleaner["leftover"] = ({ error, ...rest }) => ({
    ...mapStrings(rest, cleanText),
    error: cleanError(error),
  });
  return {
    text: cleanText,
    data: (data) => mapStrings(data, cleanText),
    error: cleanError,
    leftover,
    event(event) {
      const { time } = event;
      const build = cleanText(event.build);
      if (event.type === "leftover") {
        return { type: "leftover", leftover: leftover(event.leftover), build, time };
      }
      if (event.type === "build-failed") {
        const { error, ...rest } = event;
        return { ...mapStrings(rest, cleanText), build, error: cleanError(error) };
      }
      if (event.type === "output") return { ...event, build, line: cleanOutput(event.line) };
      return mapStrings(event, cleanText);
    },
  };
}

function cleanExcerpt(excerpt: SourceExcerpt, secrets: Secrets): SourceExcerpt {
  const hidden = hideInExcerpt(excerpt, secrets);
  return { ...hidden, text: visibleControls(hidden.text) };
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
