import { countOf, formatDuration } from "../../base/units.ts";
import type { CleanEvent, CleanSummary, DraftResource } from "../../build/clean/clean-events.ts";
import type { Colours } from "./colours.ts";
import type { ErrorReport } from "./error-report.ts";
import { formatError } from "./format-error.ts";

/** A clean event that may be shown: its error is a report. */
export type ShownCleanEvent =
  | Exclude<CleanEvent, { readonly type: "failed" }>
  | (Omit<Extract<CleanEvent, { readonly type: "failed" }>, "error"> & { readonly error: ErrorReport });

/** The lines that tell a person of one thing that was done. */
export function cleanEventText(event: ShownCleanEvent, colours: Colours): string[] {
  switch (event.type) {
    case "build":
      return [buildText(event, colours)];
    case "kept":
      return [
        `    kept ${[event.imageId ?? [], event.snapshotIds.join(", ")].flat().join(" and ")}: this build had succeeded`,
      ];
    case "removed":
      return [`    removed ${event.kind} ${event.id}`];
    case "would-remove":
      return [`    would remove ${event.kind} ${event.id}`];
    case "draft":
      return [draftText(event.draft)];
    case "failed": {
      const label = `Cannot remove ${event.kind} ${event.id}`;
      return formatError(event.error, colours, label).map((line) => `    ${line}`);
    }
  }
}

function buildText(event: Extract<CleanEvent, { type: "build" }>, colours: Colours): string {
  if (event.state === "running") return `${event.buildId}: is running`;
  if (event.state === "busy") return `${event.buildId}: another amibake is at it`;
  const { buildId, buildName, template, startTime, host } = event;
  const about = `${colours.bold(buildName)} of ${template}, begun ${startTime}`;
  if (event.state === "elsewhere")
    return `${buildId}: ${about} on ${host}: run amibake clean there. If that host is gone: amibake clean --forget ${buildId}, and --by-tag`;
  return `${buildId}: ${about}`;
}

function draftText({ kind, id, state, draft, ageMs, build, atWork }: DraftResource): string {
  const age = ageMs === undefined ? "of unknown age" : `begun ${formatDuration(ageMs)} ago`;
  const unknown = atWork === undefined ? "" : `: its build may be at work, as ${atWork}: run amibake clean on its host`;
  const note = { running: ": its build is running", journal: ": amibake clean undoes its build", unknown }[build];
  return `${kind} ${id} (${state}), ${age}, ${draft}${note}`;
}

/** What it came to. */
export function cleanSummaryText(
  { removed, failed, dead, running, leftAlone }: CleanSummary,
  { byTag, dryRun, olderThan }: { byTag?: boolean; dryRun?: boolean; olderThan?: string | true },
): string[] {
  const runningNote = running === 0 ? "" : ` ${countOf(running, "build is", "builds are")} running.`;
  const isListing = byTag && olderThan === undefined;
  if (isListing)
    return [
      `Nothing was removed.${runningNote} To remove what is older than your longest build: amibake clean --by-tag --older-than 24h`,
    ];
  const leftNote = leftAlone === 0 ? "" : ` ${countOf(leftAlone, "build was", "builds were")} left alone.`;
  if (removed + failed + dead === 0) {
    return [`${leftAlone === 0 ? "There is nothing to clean up." : `Nothing was removed.${leftNote}`}${runningNote}`];
  }
  const things = countOf(removed, "thing");
  const done = dryRun ? `Would remove ${things}.` : `Removed ${things}.`;
  const failure = failed === 0 ? "" : ` ${countOf(failed, "thing")} could not be removed: run it again.`;
  return [`${done}${failure}${leftNote}${runningNote}`];
}
