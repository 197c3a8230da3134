// The layouts of cty's formatdate: letters stand for parts of the time, 'quoted' ones for themselves.
import { type CivilTime, civilTime, formatOffset, type Timestamp } from "../../go-time/timestamp.ts";

const MONTHS = [
  ...["January", "February", "March", "April", "May", "June", "July", "August", "September", "October"],
  ...["November", "December"],
];
const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/** The English name. @param month 1 to 12. */
export function monthName(month: number): string {
  return MONTHS[month - 1] ?? "";
}

/** The English name. @param weekday 0 is Sunday. */
export function weekdayName(weekday: number): string {
  return WEEKDAYS[weekday] ?? "";
}

/** A layout that cannot be followed. */
export class DateLayoutError extends Error {
  override readonly name = "DateLayoutError";
}

type Part = (time: CivilTime, offsetMinutes: number) => string;

const two = (value: number) => String(value).padStart(2, "0");
const hour12 = (hour: number) => hour % 12 || 12;

const VERBS: ReadonlyMap<string, Part> = new Map<string, Part>([
  ["YY", ({ year }) => two(year % 100)],
  ["YYYY", ({ year }) => String(year).padStart(4, "0")],
  ["M", ({ month }) => String(month)],
  ["MM", ({ month }) => two(month)],
  ["MMM", ({ month }) => monthName(month).slice(0, 3)],
  ["MMMM", ({ month }) => monthName(month)],
  ["D", ({ day }) => String(day)],
  ["DD", ({ day }) => two(day)],
  ["EEE", ({ weekday }) => weekdayName(weekday).slice(0, 3)],
  ["EEEE", ({ weekday }) => weekdayName(weekday)],
  ["h", ({ hour }) => String(hour)],
  ["hh", ({ hour }) => two(hour)],
  ["H", ({ hour }) => String(hour12(hour))],
  ["HH", ({ hour }) => two(hour12(hour))],
  ["AA", ({ hour }) => (hour < 12 ? "AM" : "PM")],
  ["aa", ({ hour }) => (hour < 12 ? "am" : "pm")],
  ["m", ({ minute }) => String(minute)],
  ["mm", ({ minute }) => two(minute)],
  ["s", ({ second }) => String(second)],
  ["ss", ({ second }) => two(second)],
  ["Z", (_time, offset) => formatOffset(offset, ":", "Z")],
  ["ZZZ", (_time, offset) => formatOffset(offset, "", "UTC")],
  ["ZZZZ", (_time, offset) => formatOffset(offset, "", "+0000")],
  ["ZZZZZ", (_time, offset) => formatOffset(offset, ":", "+00:00")],
]);

/** @throws {DateLayoutError} */
export function formatDate(layout: string, timestamp: Timestamp): string {
  const time = civilTime(timestamp);
  return layout.replace(/''|'((?:[^']|'')*)('?)|([A-Za-z])\3*/g, (token, quoted?: string, end?: string) => {
    if (token === "''") return "'";
    if (quoted === undefined) return verb(token)(time, timestamp.offsetMinutes);
    if (end !== "'") throw new DateLayoutError(`the quote of ${token} is not closed`);
    return quoted.replaceAll("''", "'");
  });
}

function verb(letters: string): Part {
  const part = VERBS.get(letters);
  if (part !== undefined) return part;
  const similar = [...VERBS.keys()].filter((name) => name.startsWith(letters.charAt(0)));
  const rest = similar.length > 0 ? `: use ${similar.join(", ")}` : "; letters that stand for themselves are quoted";
  throw new DateLayoutError(`"${letters}" is no part of a time${rest}`);
}
