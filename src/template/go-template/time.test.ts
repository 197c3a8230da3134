import assert from "node:assert/strict";
import { test } from "node:test";
import { strftime } from "./strftime.ts";
import { formatGoTime } from "./time-layout.ts";

const AFTERNOON = new Date("2026-03-07T15:04:09.050Z");
const MIDNIGHT = new Date("2024-12-31T00:00:00.000Z");

// By the documentation of Go's package time; test/contract asks a real Packer.
const LAYOUTS: readonly (readonly [layout: string, afternoon: string, midnight: string])[] = [
  ["2006-01-02T15:04:05Z07:00", "2026-03-07T15:04:09Z", "2024-12-31T00:00:00Z"],
  ["Mon Jan _2 15:04:05 2006", "Sat Mar  7 15:04:09 2026", "Tue Dec 31 00:00:00 2024"],
  ["Monday, 02-Jan-06 15:04:05 MST", "Saturday, 07-Mar-26 15:04:09 UTC", "Tuesday, 31-Dec-24 00:00:00 UTC"],
  ["Mon, 02 Jan 2006 15:04:05 -0700", "Sat, 07 Mar 2026 15:04:09 +0000", "Tue, 31 Dec 2024 00:00:00 +0000"],
  ["3:04PM 3:4:5pm 03", "3:04PM 3:4:9pm 03", "12:00AM 12:0:0am 12"],
  ["1/2/06 January", "3/7/26 March", "12/31/24 December"],
  ["05.000 05.000000 05,00", "09.050 09.050000 09,05", "00.000 00.000000 00,00"],
  ["05.999 05.999999999", "09.05 09.05", "00 00"],
  ["002 __2", "066  66", "366 366"],
  [
    "-07 -07:00 -070000 -07:00:00 Z07 Z0700 Z070000 Z07:00:00",
    "+00 +00:00 +000000 +00:00:00 Z Z Z Z",
    "+00 +00:00 +000000 +00:00:00 Z Z Z Z",
  ],
  ["_2006", "_2026", "_2024"],
  ["20060102150405", "20260307150409", "20241231000000"],
  ["Janus Month v.x", "Janus Month v.x", "Janus Month v.x"],
  ["", "", ""],
];

for (const [layout, afternoon, midnight] of LAYOUTS) {
  test(`formatGoTime() formats "${layout}"`, () => {
    assert.equal(formatGoTime(AFTERNOON, layout), afternoon);
    assert.equal(formatGoTime(MIDNIGHT, layout), midnight);
  });
}

test("strftime() knows C's verbs and leaves others as they are", () => {
  assert.equal(
    strftime(AFTERNOON, "%Y-%m-%d %H:%M:%S %a %A %b %B %y %I %p %z %Z %%"),
    "2026-03-07 15:04:09 Sat Saturday Mar March 26 03 PM +0000 UTC %",
  );
  assert.equal(
    strftime(AFTERNOON, "%F %T %R %D %e %j %u %w %s %L %f"),
    "2026-03-07 15:04:09 15:04 03/07/26  7 066 6 6 1772895849 .050 050000",
  );
  assert.equal(strftime(AFTERNOON, "100% %Q %"), "100% %Q %");
});
