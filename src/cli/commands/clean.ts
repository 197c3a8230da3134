import { systemClock } from "../../base/clock.ts";
import { type CleanOptions, cleanBuilds } from "../../build/clean/clean-builds.ts";
import { cleanByTag } from "../../build/clean/clean-by-tag.ts";
import type { CleanEvent, CleanSummary } from "../../build/clean/clean-events.ts";
import { cleanUploads, forgetUpload } from "../../build/clean/clean-uploads.ts";
import { forgetBuild } from "../../build/journal/dead-journals.ts";
import { journalDirectory } from "../../build/journal/journal-entries.ts";
import { uploadDirectory } from "../../snapshot-transfer/interrupted-uploads.ts";
import { manifestStore } from "../../snapshot-transfer/manifest-store.ts";
import { stateDirectory } from "../../snapshot-transfer/state-directory.ts";
import { parseDurationMs } from "../../template/go-time/duration.ts";
import type { CliContext } from "../cli-context.ts";
import type { ExitCode } from "../exit-codes.ts";
import { createCleaner } from "../ui/clean-events.ts";
import { cleanEventText, cleanSummaryText } from "../ui/clean-text.ts";
import { chooseColours } from "../ui/create-renderer.ts";
import { usageError } from "../usage-error.ts";
import type { CleanPlace, PlaceContext } from "./clean-place.ts";

export interface CleanCommandOptions {
  readonly dryRun?: boolean;
  readonly byTag?: boolean;
  /** True where it was given without a value. */
  readonly olderThan?: string | true;
  readonly settle: string;
  /** The build whose journal is to be dropped. */
  readonly forget?: string;
  readonly region?: string;
  readonly local?: boolean;
  readonly store?: string;
  readonly json?: boolean;
}

const OLDER_THAN_MS = 24 * 3_600_000;

/** Undoes what builds left that died. */
export async function runClean(options: CleanCommandOptions, context: CliContext): Promise<ExitCode> {
  checkOptions(options);
  using signal = context.abortOnSignals();
  const cleaner = createCleaner(context.secrets);
  const colours = chooseColours(context);
  const emit = (event: CleanEvent): void => {
    const clean = cleaner.data("error" in event ? { ...event, error: cleaner.error(event.error) } : event);
    if (options.json) context.stdout.write(`${JSON.stringify(clean)}\n`);
    else for (const line of cleanEventText(clean, colours)) context.stdout.write(`${line}\n`);
  };
  const onRetry = (call: string, _attempt: number, reason: string): void => {
    if (!options.json) context.stderr.write(`${cleaner.text(`${call} is tried again: ${reason}`)}\n`);
  };
  const placeContext = { ...context, signal, onRetry };
  const shared: Pick<CleanOptions, "journalDirectory" | "isDryRun" | "signal" | "clock" | "emit"> = {
    journalDirectory: journalDirectory(context.environment),
    isDryRun: options.dryRun ?? false,
    signal,
    clock: systemClock,
    emit,
  };
  if (options.forget !== undefined) {
    const uploads = uploadDirectory(stateDirectory(context.environment));
    const isUpload = await forgetUpload(uploads, options.forget);
    if (!isUpload) await forgetBuild(shared.journalDirectory, options.forget);
    context.stderr.write(`${options.forget} is forgotten; what it made, if it is still there, stays\n`);
    return 0;
  }
  let summary: CleanSummary;
  try {
    summary = options.byTag
      ? await runByTag(options, shared, placeContext)
      : await cleanHost(options, shared, placeContext);
  } catch (error) {
    if (!signal.aborted) throw error;
    context.stderr.write("Interrupted: what was not removed yet is left behind. Run it again\n");
    return 3;
  }
  if (options.json) context.stdout.write(`${JSON.stringify({ type: "summary", ...summary })}\n`);
  else for (const line of cleanSummaryText(summary, options)) context.stdout.write(`${line}\n`);
  return summary.failed > 0 ? 3 : 0;
}

/** What builds and uploads of this host left. */
async function cleanHost(
  options: CleanCommandOptions,
  shared: Pick<CleanOptions, "journalDirectory" | "isDryRun" | "signal" | "clock" | "emit">,
  context: PlaceContext,
): Promise<CleanSummary> {
  // With the SDK, which most runs do not need: there is nothing to clean up.
  const connect = async (place: CleanPlace) => (await import("./clean-place.ts")).connectToPlace(place, context);
  const settleMs = durationMs("--settle", options.settle);
  const common = { ...shared, connect, settleMs, olderThanMs: olderThanMs(options) ?? 0 };
  const directory = uploadDirectory(stateDirectory(context.environment));
  // First: those of a user who is not root can be removed, the builds cannot.
  const uploads = await cleanUploads({ ...common, uploadDirectory: directory });
  const builds = await cleanBuilds({ ...common, manifests: manifestStore(context.environment) });
  return {
    removed: uploads.removed + builds.removed,
    failed: uploads.failed + builds.failed,
    dead: uploads.dead + builds.dead,
    running: uploads.running + builds.running,
    leftAlone: uploads.leftAlone + builds.leftAlone,
  };
}

async function runByTag(
  options: CleanCommandOptions,
  shared: Pick<CleanOptions, "journalDirectory" | "isDryRun" | "signal" | "clock" | "emit">,
  context: PlaceContext,
): Promise<CleanSummary> {
  const { connectByTag } = await import("./clean-tag-place.ts");
  await using place = await connectByTag(options, context);
  const { ec2, findOwnInstanceId } = place;
  return await cleanByTag({ ...shared, ec2, findOwnInstanceId, olderThanMs: olderThanMs(options) });
}

function checkOptions({ byTag, region, local, store }: CleanCommandOptions): void {
  if (store !== undefined && !local) throw usageError("Cannot use --store without --local", "Add --local");
  if (byTag) return;
  if (region !== undefined || local) {
    throw usageError(
      `Cannot use ${local ? "--local" : "--region"} without --by-tag`,
      "Leave it out: a build's journal says where it worked",
    );
  }
}

function olderThanMs({ olderThan }: CleanCommandOptions): number | undefined {
  if (olderThan === undefined) return undefined;
  return olderThan === true ? OLDER_THAN_MS : durationMs("--older-than", olderThan);
}

function durationMs(option: string, text: string): number {
  const parsed = parseDurationMs(text);
  if (parsed !== undefined) return parsed;
  throw usageError(`Cannot understand ${option} "${text}"`, 'Give a duration such as "90s", "30m" or "24h"');
}
