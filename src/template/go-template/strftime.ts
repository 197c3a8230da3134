import { dayOfYear, hour12, monthName, padded, weekdayName } from "./time-layout.ts";

const VERBS: Readonly<Record<string, (time: Date) => string>> = {
  a: (time) => weekdayName(time).slice(0, 3),
  A: weekdayName,
  b: (time) => monthName(time).slice(0, 3),
  B: monthName,
  d: (time) => padded(time.getUTCDate(), 2),
  D: (time) => strftime(time, "%m/%d/%y"),
  e: (time) => padded(time.getUTCDate(), 2, " "),
  f: (time) => padded(time.getUTCMilliseconds() * 1000, 6),
  F: (time) => strftime(time, "%Y-%m-%d"),
  H: (time) => padded(time.getUTCHours(), 2),
  I: (time) => padded(hour12(time), 2),
  j: (time) => padded(dayOfYear(time), 3),
  // With the point: Packer's own.
  L: (time) => `.${padded(time.getUTCMilliseconds(), 3)}`,
  m: (time) => padded(time.getUTCMonth() + 1, 2),
  M: (time) => padded(time.getUTCMinutes(), 2),
  p: (time) => (time.getUTCHours() < 12 ? "AM" : "PM"),
  R: (time) => strftime(time, "%H:%M"),
  s: (time) => String(Math.floor(time.getTime() / 1000)),
  S: (time) => padded(time.getUTCSeconds(), 2),
  T: (time) => strftime(time, "%H:%M:%S"),
  u: (time) => String(time.getUTCDay() || 7),
  w: (time) => String(time.getUTCDay()),
  y: (time) => padded(time.getUTCFullYear() % 100, 2),
  Y: (time) => String(time.getUTCFullYear()),
  z: () => "+0000",
  Z: () => "UTC",
  "%": () => "%",
};

/**
 * Formats a time, in UTC, as C's strftime does in the C locale. A verb it does not know stays as it is; Packer knows fewer
 * (not D, e, f, F, j, R, s, T, u and w).
 */
export function strftime(time: Date, format: string): string {
  return format.replace(/%([A-Za-z%])/g, (all, verb: string) => VERBS[verb]?.(time) ?? all);
}
