/** A moment, and the zone in which it was written. */
export interface Timestamp {
  /** Since 1970, in nanoseconds. */
  readonly unixNs: bigint;
  /** East of Greenwich. */
  readonly offsetMinutes: number;
}

/** A time as clocks and calendars of its zone show it. */
export interface CivilTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  /** 1 to 366. */
  readonly yearDay: number;
}

const NS_PER_MS = 1_000_000n;
const MS_PER_DAY = 86_400_000;

const PARTS: readonly (readonly [RegExp, string])[] = [
  [/\d{4}/y, "the year, with four digits"],
  [/-/y, '"-" behind the year'],
  [/\d{2}/y, "the month, with two digits"],
  [/-/y, '"-" behind the month'],
  [/\d{2}/y, "the day, with two digits"],
  [/T/y, '"T" before the time'],
  [/\d{1,2}/y, "the hour"],
  [/:/y, '":" behind the hour'],
  [/\d{2}/y, "the minute, with two digits"],
  [/:/y, '":" behind the minute'],
  [/\d{2}(?:[.,]\d+)?/y, "the second, with two digits"],
  [/Z|[-+]\d{2}:\d{2}/y, 'the zone: "Z" or an offset such as "+01:00"'],
];

/**
 * Reads a time of RFC 3339, as strictly as Go does.
 *
 * @returns what is wrong with it, for "… is no RFC 3339 time: it …", if it is none.
 */
export function parseTimestamp(text: string): Timestamp | { readonly reason: string } {
  const parts: string[] = [];
  let position = 0;
  for (const [pattern, name] of PARTS) {
    pattern.lastIndex = position;
    const part = pattern.exec(text)?.[0];
    if (part === undefined) {
      const rest = text.slice(position, position + 20);
      return { reason: rest === "" ? `ends before ${name}` : `has "${rest}" where ${name} is expected` };
    }
    parts.push(part);
    position += part.length;
  }
  if (position < text.length) return { reason: `has "${text.slice(position, position + 20)}" behind its end` };
  return assemble(parts);
}

function assemble(parts: readonly string[]): Timestamp | { readonly reason: string } {
  const [year = "", , month = "", , day = "", , hour = "", , minute = "", , seconds = "", zone = ""] = parts;
  const [second = "", fraction = ""] = seconds.split(/[.,]/);
  const [zoneHour = 0, zoneMinute = 0] = zone.slice(1).split(":").map(Number);
  const limits: readonly (readonly [string, string, number, number])[] = [
    ["month", month, 1, 12],
    ["day", day, 1, daysInMonth(Number(year), Number(month))],
    ["hour", hour, 0, 23],
    ["minute", minute, 0, 59],
    ["second", second, 0, 59],
    ["hours of the offset", String(zoneHour), 0, 24],
    ["minutes of the offset", String(zoneMinute), 0, 59],
  ];
  for (const [name, value, min, max] of limits) {
    if (Number(value) < min || Number(value) > max) return { reason: `has ${value} as its ${name}` };
  }
  const offsetMinutes = (zone.startsWith("-") ? -1 : 1) * (60 * zoneHour + zoneMinute);
  const localMs = startOfDayMs(Number(year), Number(month), Number(day));
  const timeMs = ((Number(hour) * 60 + Number(minute) - offsetMinutes) * 60 + Number(second)) * 1000;
  const fractionNs = BigInt(fraction.padEnd(9, "0").slice(0, 9));
  return { unixNs: BigInt(localMs + timeMs) * NS_PER_MS + fractionNs, offsetMinutes };
}

function startOfDayMs(year: number, month: number, day: number): number {
  // Date.UTC takes the years below 100 for those of the last century.
  return new Date(0).setUTCFullYear(year, month - 1, day);
}

function daysInMonth(year: number, month: number): number {
  return new Date(startOfDayMs(year, month + 1, 0)).getUTCDate();
}

export function civilTime({ unixNs, offsetMinutes }: Timestamp): CivilTime {
  const date = new Date(Number(floorDivide(unixNs, NS_PER_MS)) + offsetMinutes * 60_000);
  const year = date.getUTCFullYear();
  return {
    year,
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    weekday: date.getUTCDay(),
    yearDay: Math.floor((date.getTime() - startOfDayMs(year, 1, 1)) / MS_PER_DAY) + 1,
  };
}

/** Whole seconds since 1970. */
export function unixSeconds({ unixNs }: Timestamp): bigint {
  return floorDivide(unixNs, 1_000_000_000n);
}

/** The week of ISO 8601, which begins on Monday and belongs to the year of its Thursday. */
export function isoWeek({ year, month, day, weekday }: CivilTime): { isoYear: number; isoWeek: number } {
  const thursdayMs = startOfDayMs(year, month, day + 4 - (weekday || 7));
  const isoYear = new Date(thursdayMs).getUTCFullYear();
  const days = (thursdayMs - startOfDayMs(isoYear, 1, 1)) / MS_PER_DAY;
  return { isoYear, isoWeek: Math.floor(days / 7) + 1 };
}

/** RFC 3339 without fractions of a second. */
export function formatTimestamp(timestamp: Timestamp): string {
  const { year, month, day, hour, minute, second } = civilTime(timestamp);
  const two = (value: number) => String(value).padStart(2, "0");
  const date = `${year < 0 ? "-" : ""}${String(Math.abs(year)).padStart(4, "0")}-${two(month)}-${two(day)}`;
  return `${date}T${two(hour)}:${two(minute)}:${two(second)}${formatOffset(timestamp.offsetMinutes, ":", "Z")}`;
}

/** `+01:00`. @param utc what stands for no offset. */
export function formatOffset(offsetMinutes: number, separator: ":" | "", utc: string): string {
  if (offsetMinutes === 0) return utc;
  const magnitude = Math.abs(offsetMinutes);
  const [hours, minutes] = [Math.floor(magnitude / 60), magnitude % 60].map((part) => String(part).padStart(2, "0"));
  return `${offsetMinutes < 0 ? "-" : "+"}${hours}${separator}${minutes}`;
}

function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value < 0n && value % divisor !== 0n ? quotient - 1n : quotient;
}
