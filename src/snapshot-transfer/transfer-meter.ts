import type { Clock } from "../base/clock.ts";
import { SNAPSHOT_BLOCK_BYTES } from "../base/units.ts";

export interface TransferProgress {
  /** Blocks that are settled: moved, or found to need no move. */
  readonly doneBlocks: number;
  readonly totalBlocks: number;
  /** Blocks that went over the network. */
  readonly movedBlocks: number;
  /** Of the last seconds, over the network. */
  readonly bytesPerSecond: number;
  /** At the pace of the last seconds. Undefined: there is none yet. */
  readonly leftMs: number | undefined;
}

interface Sample {
  readonly timeMs: number;
  readonly doneBlocks: number;
  readonly movedBlocks: number;
}

const WINDOW_MS = 10_000;
const SAMPLE_EVERY_MS = 250;

/** Counts the blocks of a transfer, and tells its pace. */
export class TransferMeter {
  readonly #clock: Clock;
  readonly #totalBlocks: number;
  #doneBlocks = 0;
  #movedBlocks = 0;
  /** Ascending by time; the first one is as old as the window. */
  readonly #samples: Sample[] = [];

  constructor(totalBlocks: number, clock: Clock) {
    this.#totalBlocks = totalBlocks;
    this.#clock = clock;
    this.#samples.push({ timeMs: clock.now(), doneBlocks: 0, movedBlocks: 0 });
  }

  /** @param options.isMoved whether the block went over the network. */
  count({ isMoved }: { readonly isMoved: boolean }): void {
    this.#doneBlocks++;
    if (isMoved) this.#movedBlocks++;
    this.#sample();
  }

  /** What an earlier run has done tells nothing about the pace of this one. */
  countEarlier(blockCount: number): void {
    this.#doneBlocks += blockCount;
    this.#samples.splice(0, this.#samples.length, this.#now());
  }

  progress(): TransferProgress {
    const now = this.#now();
    const first = this.#samples[0] ?? now;
    const elapsedMs = Math.max(1, now.timeMs - first.timeMs);
    const done = now.doneBlocks - first.doneBlocks;
    const movedBytes = (now.movedBlocks - first.movedBlocks) * SNAPSHOT_BLOCK_BYTES;
    const leftBlocks = this.#totalBlocks - this.#doneBlocks;
    return {
      doneBlocks: this.#doneBlocks,
      totalBlocks: this.#totalBlocks,
      movedBlocks: this.#movedBlocks,
      bytesPerSecond: Math.round((movedBytes * 1000) / elapsedMs),
      leftMs: leftBlocks === 0 ? 0 : done === 0 ? undefined : Math.round((leftBlocks * elapsedMs) / done),
    };
  }

  #now(): Sample {
    return { timeMs: this.#clock.now(), doneBlocks: this.#doneBlocks, movedBlocks: this.#movedBlocks };
  }

  #sample(): void {
    const now = this.#now();
    const last = this.#samples.at(-1);
    if (last !== undefined && now.timeMs - last.timeMs < SAMPLE_EVERY_MS) return;
    this.#samples.push(now);
    while ((this.#samples[1]?.timeMs ?? now.timeMs) < now.timeMs - WINDOW_MS) this.#samples.shift();
  }
}
