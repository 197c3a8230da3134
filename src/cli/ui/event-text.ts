import { formatDuration } from "../../base/units.ts";
import type { CleanEvent } from "./clean-events.ts";

/** One line about a build. */
export interface TextLine {
  /** `heading` begins with an arrow; `detail` is indented under it. */
  readonly level: "heading" | "detail" | "warning" | "error";
  readonly text: string;
}

type StepEvent = Extract<CleanEvent, { readonly step: string }>;

/** The lines for an event that is not about a step. */
export function eventText(event: Exclude<CleanEvent, StepEvent>): TextLine[] {
  switch (event.type) {
    case "message":
      return [{ level: "detail", text: event.text }];
    case "output":
      return [{ level: "detail", text: event.line }];
    case "warning":
      return [
        { level: "warning", text: `Warning: ${event.text}` },
        ...(event.hint === undefined ? [] : [{ level: "detail" as const, text: `hint: ${event.hint}` }]),
      ];
    case "retry":
      return [{ level: "detail", text: retryText(event) }];
    case "resource-created":
      return [{ level: "detail", text: `Made ${event.kind} ${event.id} in ${event.region}` }];
    case "leftover": {
      const { kind, id, error } = event.leftover;
      return [{ level: "error", text: `Left behind: ${kind} ${id}: ${error.message}` }];
    }
    case "build-finished":
      return [{ level: "heading", text: `Finished in ${formatDuration(event.elapsedMs)}` }];
    case "build-failed":
      return [{ level: "error", text: `Failed after ${formatDuration(event.elapsedMs)}: ${event.error.message}` }];
  }
}

/** "Waiting for the snapshot, 34 %": what a step that takes long is doing. */
export function progressText(event: { readonly text: string; readonly percent?: number }): string {
  return event.percent === undefined ? event.text : `${event.text}, ${Math.floor(event.percent)} %`;
}

/** Most reasons name the call already: "Cannot DescribeImages: RequestLimitExceeded: …". */
function retryText({ call, attempt, reason }: { call: string; attempt: number; reason: string }): string {
  return `Try ${attempt} failed, trying again: ${reason.includes(call) ? reason : `${call}: ${reason}`}`;
}
