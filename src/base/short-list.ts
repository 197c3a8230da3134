const NAMES_MAX = 10;

/** "a; b (3 times); and 7 more": names for people, of which there may be thousands. */
export function shortList(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const told = [...counts].map(([name, count]) => (count === 1 ? name : `${name} (${count} times)`));
  const more = told.length > NAMES_MAX ? [`and ${told.length - NAMES_MAX} more`] : [];
  return [...told.slice(0, NAMES_MAX), ...more].join("; ");
}
