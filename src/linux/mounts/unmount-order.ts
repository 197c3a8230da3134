import { posix } from "node:path";
import type { MountEntry } from "./mount-table.ts";

/**
 * The order in which mounts can be unmounted by their paths: each before what it stands on, and before what it hides.
 * A table is in the order of mounting, but mounts can be moved.
 */
export function unmountOrder(entries: readonly MountEntry[]): MountEntry[] {
  const remaining = new Map(entries.map((entry) => [entry.mountId, entry]));
  const order: MountEntry[] = [];
  while (remaining.size > 0) {
    const left = [...remaining.values()];
    const last = left.findLast((entry) =>
      left.every((other) => other === entry || !mustGoFirst(other, entry, remaining)),
    );
    const next = last ?? left.at(-1);
    if (next === undefined) break;
    order.push(next);
    remaining.delete(next.mountId);
  }
  return order;
}

/** Whether `other` stands on `entry`, or covers the path that leads to it. */
function mustGoFirst(other: MountEntry, entry: MountEntry, all: ReadonlyMap<number, MountEntry>): boolean {
  if (other.parentId === entry.mountId) return true;
  const isOnItsPath = isAtOrBelow(entry.mountpoint, other.mountpoint);
  return isOnItsPath && !isAncestor(other, entry, all) && !isAncestor(entry, other, all);
}

function isAncestor(candidate: MountEntry, entry: MountEntry, all: ReadonlyMap<number, MountEntry>): boolean {
  const seen = new Set<number>();
  for (let at: MountEntry | undefined = entry; at !== undefined && !seen.has(at.mountId); at = all.get(at.parentId)) {
    if (at.parentId === candidate.mountId) return true;
    seen.add(at.mountId);
  }
  return false;
}

function isAtOrBelow(path: string, directory: string): boolean {
  return path === directory || path.startsWith(posix.join(directory, "/"));
}
