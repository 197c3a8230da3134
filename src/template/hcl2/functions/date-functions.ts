import { strftime } from "../../go-template/strftime.ts";
import { formatGoTime } from "../../go-template/time-layout.ts";
import { parseDurationNs } from "../../go-time/duration.ts";
import {
  civilTime,
  formatTimestamp,
  isoWeek,
  parseTimestamp,
  type Timestamp,
  unixSeconds,
} from "../../go-time/timestamp.ts";
import { numberValue, objectValue, stringValue } from "../values/construct.ts";
import { textOf } from "../values/contents.ts";
import { type HclType, type HclValue, NUMBER, STRING } from "../values/value.ts";
import {
  badArgument,
  blame,
  type HclFunctionGroup,
  integerAt,
  numberParameter,
  textAt,
  textFunction,
  textParameter,
} from "./arguments.ts";
import { DateLayoutError, formatDate, monthName, weekdayName } from "./format-date.ts";
import { type EagerFunction, HclFunctionError } from "./hcl-function.ts";

/** @param startTime of the run: for all its functions it is now, so that names and tags of one build agree. */
export function dateFunctions(startTime: Date): HclFunctionGroup {
  const now: Timestamp = { unixNs: BigInt(startTime.getTime()) * 1_000_000n, offsetMinutes: 0 };
  const standard = formatTimestamp(now);
  return {
    formatdate: textFunction(
      {
        usage: 'formatdate("YYYY-MM-DD", timestamp())',
        summary: "A time of RFC 3339 in a layout: YYYY MM DD hh mm ss and the like, other letters in single quotes",
        parameters: ["format", "time"],
      },
      (layout, time = "") => {
        const timestamp = timestampOf(time, 1);
        return blame(DateLayoutError, 0, () => formatDate(layout ?? "", timestamp));
      },
    ),
    legacy_isotime: legacyTime(
      'legacy_isotime("2006-01-02")',
      "When the run started, in a layout of Go",
      standard,
      (layout) => formatGoTime(startTime, layout),
    ),
    legacy_strftime: legacyTime(
      'legacy_strftime("%Y-%m-%d")',
      "When the run started, in a format of C",
      standard,
      (format) => strftime(startTime, format),
    ),
    rfc3339_parse: {
      usage: 'rfc3339_parse("2023-07-25T23:43:16Z").year',
      summary:
        "The parts of a time: year, month, month_name, day, hour, minute, second, weekday, weekday_name, year_day, iso_year, iso_week, unix",
      parameters: [textParameter("timestamp")],
      returnType: partsType("unix", NUMBER),
      call: (args) => {
        // RFC 3339 allows a space for the T; the other functions do not.
        const time = timestampOf(textAt(args, 0).replace(/^(\d{4}-\d\d-\d\d) /, "$1T"), 0);
        return objectValue([...partsOfTime(time), ["unix", numberValue(unixSeconds(time))]]);
      },
    },
    timeadd: textFunction(
      {
        usage: 'timeadd(timestamp(), "24h")',
        summary: "A time of RFC 3339 and a duration later, such as 1h30m or -5m",
        parameters: ["timestamp", "duration"],
      },
      (time = "", duration = "") => {
        const { unixNs, offsetMinutes } = timestampOf(time, 0);
        const durationNs = parseDurationNs(duration);
        if (durationNs === undefined) {
          throw badArgument(1, `"${duration}" is no duration`, 'Write numbers with units: "1h30m", "-90s", "1.5h"');
        }
        return formatTimestamp({ unixNs: unixNs + durationNs, offsetMinutes });
      },
    ),
    timestamp: {
      usage: "timestamp()",
      summary: "When the run started, in UTC, as RFC 3339 writes it; the same everywhere in a run",
      parameters: [],
      returnType: STRING,
      call: () => stringValue(standard),
    },
    unix_timestamp_parse: {
      usage: "unix_timestamp_parse(1690328596).rfc3339",
      summary: "The parts of a Unix time, in UTC: as those of rfc3339_parse, but rfc3339 in place of unix",
      parameters: [numberParameter("unix_timestamp")],
      returnType: partsType("rfc3339", STRING),
      call: (args) => {
        const seconds = integerAt(args, 0);
        if (seconds > SECONDS_MAX || seconds < -SECONDS_MAX) throw badArgument(0, `${seconds} seconds is no time`);
        const time = { unixNs: seconds * 1_000_000_000n, offsetMinutes: 0 };
        return objectValue([...partsOfTime(time), ["rfc3339", stringValue(formatTimestamp(time))]]);
      },
    },
  };
}

// As far as JavaScript's calendar reaches: 270,000 years.
const SECONDS_MAX = 8_640_000_000_000n;

function timestampOf(text: string, argumentIndex: number): Timestamp {
  const parsed = parseTimestamp(text);
  if ("unixNs" in parsed) return parsed;
  throw badArgument(
    argumentIndex,
    `${JSON.stringify(text)} is no RFC 3339 time: it ${parsed.reason}`,
    'Write it as "2006-01-02T15:04:05Z"',
  );
}

const LAYOUT_LENGTH_MAX = 1000;

/** @param standard without a layout. */
function legacyTime(
  usage: string,
  summary: string,
  standard: string,
  format: (layout: string) => string,
): EagerFunction {
  return {
    usage,
    summary,
    parameters: [],
    variadic: textParameter("format"),
    returnType: STRING,
    call: (args) => {
      const [layout, ...others] = args;
      if (layout === undefined) return stringValue(standard);
      if (others.length > 0) throw new HclFunctionError(`one layout is needed, not ${args.length}`);
      if (textOf(layout).length > LAYOUT_LENGTH_MAX) {
        throw badArgument(0, `the layout is longer than ${LAYOUT_LENGTH_MAX} characters`);
      }
      return stringValue(format(textOf(layout)));
    },
  };
}

const NUMBER_PARTS = [
  "year",
  "month",
  "day",
  "hour",
  "minute",
  "second",
  "weekday",
  "year_day",
  "iso_year",
  "iso_week",
];

function partsType(otherForm: string, otherType: HclType): HclType {
  const names: readonly (readonly [string, HclType])[] = [
    ...NUMBER_PARTS.map((name) => [name, NUMBER] as const),
    ["month_name", STRING],
    ["weekday_name", STRING],
    [otherForm, otherType],
  ];
  return { kind: "object", attributes: new Map(names) };
}

function partsOfTime(timestamp: Timestamp): readonly (readonly [string, HclValue])[] {
  const time = civilTime(timestamp);
  const week = isoWeek(time);
  const numbers = [time.year, time.month, time.day, time.hour, time.minute, time.second, time.weekday, time.yearDay];
  return [
    ...[...numbers, week.isoYear, week.isoWeek].map((value, index): [string, HclValue] => [
      NUMBER_PARTS[index] ?? "",
      numberValue(value),
    ]),
    ["month_name", stringValue(monthName(time.month))],
    ["weekday_name", stringValue(weekdayName(time.weekday))],
  ];
}
