// Lists of extents, each ascending and without overlaps.
import type { Extent } from "./sparse-file.ts";

/** The bytes that are in both. */
export function intersectExtents(a: readonly Extent[], b: readonly Extent[]): Extent[] {
  const result: Extent[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const [left, right] = [a[i] as Extent, b[j] as Extent];
    const startBytes = Math.max(left.startBytes, right.startBytes);
    const endBytes = Math.min(left.endBytes, right.endBytes);
    if (startBytes < endBytes) result.push({ startBytes, endBytes });
    if (left.endBytes < right.endBytes) i++;
    else j++;
  }
  return result;
}

/** The bytes that lie within one extent: as `intersectExtents`, for one piece of a long list after the other. */
export function clipExtents(extents: readonly Extent[], { startBytes, endBytes }: Extent): Extent[] {
  let [low, high] = [0, extents.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((extents[middle] as Extent).endBytes <= startBytes) low = middle + 1;
    else high = middle;
  }
  const clipped: Extent[] = [];
  for (let i = low; i < extents.length && (extents[i] as Extent).startBytes < endBytes; i++) {
    const extent = extents[i] as Extent;
    clipped.push({
      startBytes: Math.max(startBytes, extent.startBytes),
      endBytes: Math.min(endBytes, extent.endBytes),
    });
  }
  return clipped;
}

/** The bytes of `a` that are not in `b`. */
export function subtractExtents(a: readonly Extent[], b: readonly Extent[]): Extent[] {
  const result: Extent[] = [];
  let j = 0;
  for (const { startBytes, endBytes } of a) {
    let position = startBytes;
    while (j < b.length && (b[j] as Extent).endBytes <= position) j++;
    for (let k = j; k < b.length && (b[k] as Extent).startBytes < endBytes; k++) {
      const taken = b[k] as Extent;
      if (taken.startBytes > position) result.push({ startBytes: position, endBytes: taken.startBytes });
      position = Math.max(position, taken.endBytes);
    }
    if (position < endBytes) result.push({ startBytes: position, endBytes });
  }
  return result;
}

/** Extents in ascending order, with those that touch or overlap made one. */
export function joinExtents(extents: readonly Extent[]): Extent[] {
  const joined: Extent[] = [];
  for (const extent of extents) {
    const last = joined.at(-1);
    if (last === undefined || extent.startBytes > last.endBytes) joined.push(extent);
    else joined[joined.length - 1] = { ...last, endBytes: Math.max(last.endBytes, extent.endBytes) };
  }
  return joined;
}
