import { formatBytes, formatDuration, SNAPSHOT_BLOCK_BYTES } from "../../base/units.ts";
import type { TransferProgress } from "../../snapshot-transfer/transfer-meter.ts";
import type { CliContext } from "../cli-context.ts";
import { createCleaner } from "./clean-events.ts";
import { LiveArea } from "./live-area.ts";

/** Shows how a transfer goes, on standard error; its result goes to standard output, for programs to take. */
export interface TransferView extends Disposable {
  progress(progress: TransferProgress): void;
  /** Something that stays: a line of text, or a record of JSON. */
  note(record: Readonly<Record<string, unknown>> & { readonly type: string }, text: string): void;
  retried(call: string, attempt: number, reason: string): void;
  result(record: Readonly<Record<string, unknown>> & { readonly type: string }, text: string): void;
}

// A log in a file needs a sign of life, not each block.
const PLAIN_EVERY_MS = 10_000;
const JSON_EVERY_MS = 1_000;

/** @param verb "sent" or "fetched": what is done with the blocks that are moved. */
export function createTransferView(
  context: CliContext,
  { isJson, verb, now = Date.now }: { readonly isJson: boolean; readonly verb: string; readonly now?: () => number },
): TransferView {
  const { stdout, stderr, environment } = context;
  const cleaner = createCleaner(context.secrets);
  const retries = new Retries();
  let last: TransferProgress | undefined;
  const line = () => (last === undefined ? [] : [progressText(last, verb, retries.count)]);
  const isLive = !isJson && stderr.isTTY === true && environment["TERM"] !== "dumb" && !environment["CI"];
  const area = isLive ? new LiveArea(stderr, line) : undefined;
  const print = (text: string) => (area === undefined ? void stderr.write(`${text}\n`) : area.print(text));
  const write = (record: object) => void stdout.write(`${JSON.stringify(cleaner.data(record))}\n`);
  let shownMs = now();
  return {
    progress(progress) {
      last = progress;
      if (area !== undefined) return area.refresh();
      const isOver = progress.doneBlocks === progress.totalBlocks;
      if (now() - shownMs < (isJson ? JSON_EVERY_MS : PLAIN_EVERY_MS) && !isOver) return;
      shownMs = now();
      if (isJson) write({ type: "progress", ...progress, retries: retries.count });
      else for (const text of line()) print(text);
    },
    note(record, text) {
      if (isJson) write(record);
      else print(cleaner.text(text));
    },
    retried(call, _attempt, reason) {
      if (retries.add(call, reason) && !isJson) print(cleaner.text(`${call} is tried again: ${reason}`));
    },
    result(record, text) {
      last = undefined;
      area?.[Symbol.dispose]();
      if (isJson) write(record);
      else stdout.write(`${cleaner.text(text)}\n`);
    },
    [Symbol.dispose]: () => area?.[Symbol.dispose](),
  };
}

/** "1,204 of 4,096 blocks, 602 MiB sent, 98 MiB/s, 15.0 s left" */
export function progressText(progress: TransferProgress, verb: string, retryCount: number): string {
  const { doneBlocks, totalBlocks, movedBlocks, bytesPerSecond, leftMs } = progress;
  return [
    `${count(doneBlocks)} of ${count(totalBlocks)} blocks`,
    `${formatBytes(movedBlocks * SNAPSHOT_BLOCK_BYTES)} ${verb}`,
    ...(doneBlocks < totalBlocks ? [`${formatBytes(Math.round(bytesPerSecond))}/s`] : []),
    ...(leftMs === undefined || leftMs === 0 ? [] : [`${formatDuration(leftMs)} left`]),
    ...(retryCount === 0 ? [] : [`${count(retryCount)} tried again`]),
  ].join(", ");
}

/** Under throttling, hundreds of calls are tried again for one reason: it is told once. */
class Retries {
  count = 0;
  readonly #told = new Set<string>();

  /** @returns whether this reason is news. */
  add(call: string, reason: string): boolean {
    this.count++;
    const kind = `${call} ${reason.replace(/\d+/g, "#").replace(/snap-\S+/g, "")}`;
    if (this.#told.has(kind)) return false;
    this.#told.add(kind);
    return true;
  }
}

function count(number: number): string {
  return number.toLocaleString("en-US");
}
