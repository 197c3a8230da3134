// Go writes a time layout as an example: https://pkg.go.dev/time#pkg-constants
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
] as const;
const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const;

export const RFC3339 = "2006-01-02T15:04:05Z07:00";

export function monthName(time: Date): string {
  return MONTHS[time.getUTCMonth()] ?? "";
}

export function weekdayName(time: Date): string {
  return WEEKDAYS[time.getUTCDay()] ?? "";
}

/** 1 to 366. */
export function dayOfYear(time: Date): number {
  return Math.floor((time.getTime() - Date.UTC(time.getUTCFullYear(), 0, 1)) / 86_400_000) + 1;
}

export function padded(value: number, width: number, fill: "0" | " " = "0"): string {
  return String(value).padStart(width, fill);
}

/** 12, 1, 2, … 11 */
export function hour12(time: Date): number {
  return time.getUTCHours() % 12 || 12;
}

type Formatter = (time: Date, chunk: string) => string;

// In the order in which Go looks for them at one place: the longer one first.
const CHUNKS: readonly (readonly [RegExp, Formatter])[] = [
  [/^January/, monthName],
  // "Janus" is text, "Jan" a month.
  [/^Jan(?![a-z])/, (time) => monthName(time).slice(0, 3)],
  [/^Monday/, weekdayName],
  [/^Mon(?![a-z])/, (time) => weekdayName(time).slice(0, 3)],
  [/^MST/, () => "UTC"],
  [/^01/, (time) => padded(time.getUTCMonth() + 1, 2)],
  [/^02/, (time) => padded(time.getUTCDate(), 2)],
  [/^03/, (time) => padded(hour12(time), 2)],
  [/^04/, (time) => padded(time.getUTCMinutes(), 2)],
  [/^05/, (time) => padded(time.getUTCSeconds(), 2)],
  [/^06/, (time) => padded(time.getUTCFullYear() % 100, 2)],
  [/^002/, (time) => padded(dayOfYear(time), 3)],
  [/^15/, (time) => padded(time.getUTCHours(), 2)],
  [/^1/, (time) => String(time.getUTCMonth() + 1)],
  [/^2006/, (time) => padded(time.getUTCFullYear(), 4)],
  [/^2/, (time) => String(time.getUTCDate())],
  [/^_2006/, (time) => `_${padded(time.getUTCFullYear(), 4)}`],
  [/^_2/, (time) => padded(time.getUTCDate(), 2, " ")],
  [/^__2/, (time) => padded(dayOfYear(time), 3, " ")],
  [/^3/, (time) => String(hour12(time))],
  [/^4/, (time) => String(time.getUTCMinutes())],
  [/^5/, (time) => String(time.getUTCSeconds())],
  [/^PM/, (time) => (time.getUTCHours() < 12 ? "AM" : "PM")],
  [/^pm/, (time) => (time.getUTCHours() < 12 ? "am" : "pm")],
  // The time is UTC: a zone that starts with Z is just Z.
  [/^-(?:070000|07:00:00|0700|07:00|07)/, (_time, chunk) => chunk.replace("-", "+").replace("7", "0")],
  [/^Z(?:070000|07:00:00|0700|07:00|07)/, () => "Z"],
  // A run of zeros or nines, unless more digits follow it.
  [/^[.,](?:0+|9+)(?![0-9])/, fraction],
];

function fraction(time: Date, chunk: string): string {
  const digits = padded(time.getUTCMilliseconds() * 1_000_000, 9)
    .padEnd(chunk.length - 1, "0")
    .slice(0, chunk.length - 1);
  if (chunk[1] === "0") return `${chunk.charAt(0)}${digits}`;
  const significant = digits.replace(/0+$/, "");
  return significant === "" ? "" : `${chunk.charAt(0)}${significant}`;
}

/** Formats a time, in UTC, as Go's `Time.Format` does. */
export function formatGoTime(time: Date, layout: string): string {
  let formatted = "";
  for (let rest = layout; rest !== ""; ) {
    const next = chunkAt(rest);
    formatted += next === undefined ? rest.charAt(0) : next.format(time, next.chunk);
    rest = rest.slice(next === undefined ? 1 : next.chunk.length);
  }
  return formatted;
}

function chunkAt(rest: string): { chunk: string; format: Formatter } | undefined {
  for (const [pattern, format] of CHUNKS) {
    const chunk = pattern.exec(rest)?.[0];
    if (chunk !== undefined) return { chunk, format };
  }
  return undefined;
}
