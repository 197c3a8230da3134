// https://pkg.go.dev/time#ParseDuration
const UNIT_NS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

// A duration of Go is a signed number of 64 bits: 292 years.
const DURATION_NS_MAX = 2n ** 63n - 1n;

/** Nanoseconds of a duration such as "1h30m", "-1.5s" or "0", or `undefined` if it is none or too long for Go. */
export function parseDurationNs(text: string): bigint | undefined {
  const [, sign = "", rest = ""] = /^([-+]?)(.*)$/s.exec(text) ?? [];
  if (rest === "0") return 0n;
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+$/.test(rest)) return undefined;
  let sum = 0n;
  for (const [, whole = "", fraction = "", unit = ""] of rest.matchAll(
    /(\d*)\.?(\d*)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/g,
  )) {
    const unitNs = UNIT_NS[unit] ?? 0n;
    // What is less than a nanosecond is dropped.
    sum += BigInt(whole || "0") * unitNs + (BigInt(fraction || "0") * unitNs) / 10n ** BigInt(fraction.length);
    if (sum > DURATION_NS_MAX) return undefined;
  }
  return sign === "-" ? -sum : sum;
}

/** Milliseconds of a duration such as "1h30m", "1.5s" or "0", or `undefined` if it is none, negative or too long for Go. */
export function parseDurationMs(text: string): number | undefined {
  const durationNs = parseDurationNs(text);
  return durationNs === undefined || durationNs < 0n ? undefined : Number(durationNs) / 1e6;
}
