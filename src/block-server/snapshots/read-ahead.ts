// Which blocks are likely to be wanted next. Each one that is not costs money, time and room, so nothing is guessed
// from less than a run of blocks that were all wanted, and the guess is never longer than a part of that run.

/** A run has so many blocks before anything is read ahead of it: 4 MiB, more than most programs and libraries have. */
const RUN_MIN = 8;
/** Of a run, so much may be read ahead in vain. */
const AHEAD_SHARE = 0.5;
// 8 MiB: at 40 ms a block, 200 MB/s.
const AHEAD_MAX = 16;
/** Readers that go through the disk at the same time. */
const RUNS_MAX = 8;
/** Requests of one reader may overtake each other. Whoever leaves out more blocks than these does not read all. */
const OVERTAKING_MAX = 3;
/** A hole is not read; one that is longer than 4 MiB is hardly inside of one file. */
const HOLE_BLOCKS_MAX = 8;

interface Run {
  /** How many of its blocks were wanted. */
  length: number;
  /** The last of them, as a position among the blocks that there are. */
  last: number;
  /** Positions before it that were not wanted yet: their requests were overtaken. */
  readonly missing: Set<number>;
  /** Everything before this position was wanted or read ahead. */
  aheadEnd: number;
}

/** Follows those who read a disk from one end to the other. */
export class ReadAhead {
  readonly #blockIndexes: Uint32Array;
  /** The one that went on longest ago first. */
  readonly #runs: Run[] = [];

  /** @param blockIndexes of the blocks that there are, ascending. */
  constructor(blockIndexes: Uint32Array) {
    this.#blockIndexes = blockIndexes;
  }

  /**
   * Takes note of a block that is wanted.
   *
   * @param position of the block in `blockIndexes`.
   * @returns block indexes that are worth fetching now, mostly none.
   */
  wanted(position: number): number[] {
    const run = this.#runOf(position);
    if (run === undefined) {
      if (this.#runs.length === RUNS_MAX) this.#runs.shift();
      this.#runs.push({ length: 1, last: position, missing: new Set(), aheadEnd: position + 1 });
      return [];
    }
    if (run.missing.delete(position)) run.length++;
    if (position <= run.last) return [];
    for (let between = run.last + 1; between < position; between++) run.missing.add(between);
    run.length = run.missing.size > OVERTAKING_MAX ? 1 : run.length + 1;
    if (run.length === 1) run.missing.clear();
    run.last = position;
    return run.length < RUN_MIN ? [] : this.#ahead(run);
  }

  #ahead(run: Run): number[] {
    const aheadCount = Math.min(AHEAD_MAX, Math.floor(run.length * AHEAD_SHARE));
    const from = Math.max(run.aheadEnd, run.last + 1);
    const ahead = this.#upToHole(from, Math.min(run.last + 1 + aheadCount, this.#blockIndexes.length));
    run.aheadEnd = from + ahead.length;
    return ahead;
  }

  /** The run that this block belongs to, now the last of them. */
  #runOf(position: number): Run | undefined {
    const index = this.#runs.findLastIndex(
      ({ last }) => Math.abs(position - last) <= OVERTAKING_MAX && this.#isNear(last, position),
    );
    const [run] = index < 0 ? [] : this.#runs.splice(index, 1);
    if (run !== undefined) this.#runs.push(run);
    return run;
  }

  #isNear(a: number, b: number): boolean {
    return Math.abs((this.#blockIndexes[a] ?? 0) - (this.#blockIndexes[b] ?? 0)) <= HOLE_BLOCKS_MAX;
  }

  #upToHole(from: number, to: number): number[] {
    const indexes: number[] = [];
    for (let position = from; position < to && this.#isNear(position - 1, position); position++) {
      indexes.push(this.#blockIndexes[position] ?? 0);
    }
    return indexes;
  }
}
