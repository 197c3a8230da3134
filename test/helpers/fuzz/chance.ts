/** Numbers in [0, 1), the same for the same seed. */
export type Random = () => number;

export function pick<Item>(items: readonly Item[], random: Random): Item {
  const item = items[upTo(items.length, random)];
  if (item === undefined) throw new RangeError("Cannot pick from nothing");
  return item;
}

/** A whole number below `count`. */
export function upTo(count: number, random: Random): number {
  return Math.floor(random() * count);
}

/** Puts `piece` somewhere, in the place of as many characters as `removed`. */
export function splice(text: string, piece: string, removed: number, random: Random): string {
  const at = upTo(text.length + 1, random);
  return text.slice(0, at) + piece + text.slice(at + removed);
}
