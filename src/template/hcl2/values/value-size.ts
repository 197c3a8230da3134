import { type HclValue, UNKNOWN } from "./value.ts";

// Of what a template can sensibly say. Values share their parts, so the size of `[x, x]` of `[y, y]` of … is not
// what it takes in memory, but what it takes to print it, compare it or convert it.
const SIZE_MAX = 64 * 1024 ** 2;
const DEPTH_MAX = 200;

/** What an element, an entry or a number counts for, in characters. */
const PART_SIZE = 64;

/** A value is larger, deeper or more work than we take on. */
export class ValueLimitError extends Error {
  override readonly name = "ValueLimitError";
  /** Whatever else of the template is evaluated meets it too. */
  readonly isFinal: boolean;

  constructor(message: string, { isFinal = false }: { isFinal?: boolean } = {}) {
    super(message);
    this.isFinal = isFinal;
  }
}

interface Extent {
  /** In characters. */
  readonly size: number;
  readonly depth: number;
  readonly isWhollyKnown: boolean;
}

const known = new WeakMap<HclValue, Extent>();

/** How much a walk through all of the value meets, in characters: what an operation on it costs. */
export function sizeOf(value: HclValue): number {
  return extentOf(value).size;
}

/** Whether neither the value nor anything in it is unknown. */
export function isWhollyKnown(value: HclValue): boolean {
  return extentOf(value).isWhollyKnown;
}

/**
 * The value itself.
 *
 * @throws {ValueLimitError} if it is too large, or lists and objects in it are nested too deeply.
 */
export function withinLimits(value: HclValue): HclValue {
  const { size, depth } = extentOf(value);
  if (size > SIZE_MAX) {
    throw new ValueLimitError(
      `A value is larger than ${SIZE_MAX / 1024 ** 2} MiB, counting each part as often as it is there`,
    );
  }
  if (depth > DEPTH_MAX) throw new ValueLimitError(`Lists and objects are nested more than ${DEPTH_MAX} levels deep`);
  return value;
}

function extentOf(value: HclValue): Extent {
  const { content } = value;
  if (typeof content === "string") return { size: PART_SIZE + content.length, depth: 0, isWhollyKnown: true };
  if (content === UNKNOWN) return UNKNOWN_EXTENT;
  if (typeof content !== "object" || content === null || "numerator" in content) return PART_EXTENT;
  const measured = known.get(value);
  if (measured !== undefined) return measured;
  const extent = content instanceof Map ? extentOfEntries(content) : extentOfItems(content as readonly HclValue[]);
  known.set(value, extent);
  return extent;
}

const PART_EXTENT: Extent = { size: PART_SIZE, depth: 0, isWhollyKnown: true };
const UNKNOWN_EXTENT: Extent = { size: PART_SIZE, depth: 0, isWhollyKnown: false };

function extentOfItems(items: readonly HclValue[]): Extent {
  let [size, depth, isKnown] = [PART_SIZE, 0, true];
  for (const item of items) {
    const extent = extentOf(item);
    size += extent.size;
    depth = Math.max(depth, extent.depth);
    isKnown &&= extent.isWhollyKnown;
  }
  return { size, depth: depth + 1, isWhollyKnown: isKnown };
}

function extentOfEntries(entries: ReadonlyMap<string, HclValue>): Extent {
  const { size, ...rest } = extentOfItems([...entries.values()]);
  let keysSize = 0;
  for (const key of entries.keys()) keysSize += key.length;
  return { size: size + keysSize, ...rest };
}
