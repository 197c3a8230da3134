/** Sizes in bytes are `number`: the largest volume, 64 TiB, is 2^46, well under 2^53. */
export const MIB = 1024 ** 2;
export const GIB = 1024 ** 3;

/** The only block size of EBS snapshots, in bytes. */
export const SNAPSHOT_BLOCK_BYTES = 524_288;

/** "1 process", "2 processes": a number of things for people. */
export function countOf(number: number, one: string, several = `${one}s`): string {
  return `${number} ${number === 1 ? one : several}`;
}

/** "3.4 s", "61.0 s", "2 min 5 s": a duration for people. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 119_950) return `${(durationMs / 1000).toFixed(1)} s`;
  const seconds = Math.round(durationMs / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** "512 KiB", "1.2 GiB": a byte count for people. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ["KiB", "MiB", "GiB", "TiB"];
  const exponent = Math.min(units.length, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** exponent;
  return `${value >= 100 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} ${units[exponent - 1]}`;
}

/** "1,204": a count for people. */
export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}
