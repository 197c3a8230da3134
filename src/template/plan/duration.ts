// https://pkg.go.dev/time#ParseDuration
const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

// Node's timers count milliseconds in 31 bits: a longer one would end at once.
const DURATION_MS_MAX = 2 ** 31 - 1;

/** Milliseconds of a duration such as "1h5m" or "1.5s", or `undefined` if it is none, negative or over 24 days. */
export function parseDurationMs(text: string): number | undefined {
  if (text === "0") return 0;
  const parts = [...text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/g)];
  const isWhole = parts.length > 0 && parts.map(([part]) => part).join("") === text.replace(/^\+/, "");
  const durationMs = parts.reduce((sum, [, count, unit = ""]) => sum + Number(count) * (UNIT_MS[unit] ?? 0), 0);
  return isWhole && durationMs <= DURATION_MS_MAX ? durationMs : undefined;
}
