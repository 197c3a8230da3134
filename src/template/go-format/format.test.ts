// What Go's fmt gives for the same; test/contract/packer-go-template.test.ts asks Packer for many more.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type GoValue, sprint, sprintf, sprintln } from "./format.ts";

const CASES: readonly (readonly [format: string, values: readonly GoValue[], result: string])[] = [
  ["%s|%10s|%-10s|%.2s", ["é", "ab", "ab", "äöü"], "é|        ab|ab        |äö"],
  [
    "%q %#q %+q %x %X % x %# x",
    ["a\n", "a`b", "é", "az", "az", "az", "az"],
    '"a\\n" "a`b" "\\u00e9" 617a 617A 61 7a 0x61 0x7a',
  ],
  [
    "%d %+d % d %05d %-5d| %x %#X %o %#o %O %b %#b",
    [1n, 1n, 1n, -42n, 7n, 255n, 255n, 8n, 8n, 8n, 5n, 5n],
    "1 +1  1 -0042 7    | ff 0XFF 10 010 0o10 101 0b101",
  ],
  ["%c %q %U %#U", [233n, 10n, 233n, 233n], "é '\\n' U+00E9 U+00E9 'é'"],
  [
    "%e %E %f %.1f %g %G %8.3f %+.2e",
    [1.5, 1.5, 1.5, 0.25, 1e6, 1e-7, 3.25, 12345.678],
    "1.500000e+00 1.500000E+00 1.500000 0.2 1e+06 1E-07    3.250 +1.23e+04",
  ],
  ["%t %v %5t", [true, false, true], "true false  true"],
  [
    "%v %d %T %v",
    [
      null,
      null,
      null,
      new Map([
        ["b", "2"],
        ["a", "1"],
      ]),
    ],
    "<nil> %!d(<nil>) <nil> map[a:1 b:2]",
  ],
  ["%#v %#v %T", [new Map([["a", "1"]]), "x", 1.5], 'map[string]string{"a":"1"} "x" float64'],
  ["%x %d", [new Map([["a", "z"]]), new Map([["a", "1"]])], "map[61:7a] map[%!d(string=a):%!d(string=1)]"],
  ["%d %s %z %p", ["x", 5n, true, "x"], "%!d(string=x) %!s(int=5) %!z(bool=true) %!p(string=x)"],
  ["%d", [], "%!d(MISSING)"],
  ["a", [1n, null, "x"], "a%!(EXTRA int=1, <nil>, string=x)"],
  ["%", [], "%!(NOVERB)"],
  ["%% %5%", [], "% %"],
  ["%[2]s %[1]s %s", ["a", "b"], "b a b"],
  ["%[3]s %[x]s %[1]s", ["a", "b"], "%!s(BADINDEX) %!s(BADINDEX) a"],
  ["%*d|%-*d|%.*f", [4n, 1n, 4n, 1n, 1n, 2.55], "   1|1   |2.5"],
  ["%*d %.*d", ["a", 1n, -1n, 2n], "%!(BADWIDTH)1 %!(BADPREC)2"],
  [
    "%g %v %f %+f %05f",
    [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0],
    "NaN +Inf -Inf +0.000000 -0.000000",
  ],
  ["%b %x %.2x %X", [1, 1.5, 1.999, -0.5], "4503599627370496p-52 0x1.8p+00 0x1.00p+01 -0X1P-01"],
];

for (const [format, values, result] of CASES) {
  test(`sprintf() writes ${JSON.stringify(format)}`, () => assert.equal(sprintf(format, values), result));
}

test("sprintf() writes every finite fraction so that it can be read back", () => {
  let seed = 12_345;
  const bits = new DataView(new ArrayBuffer(8));
  for (let round = 0; round < 2000; round++) {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    bits.setUint32(0, seed * 2);
    bits.setUint32(4, (seed * 7919) % 2 ** 32);
    const value = bits.getFloat64(0);
    if (!Number.isFinite(value)) continue;
    for (const verb of ["%g", "%v", "%.17e"]) assert.equal(Number(sprintf(verb, [value])), value, `${verb} ${value}`);
  }
});

test("sprintf() refuses widths and texts that nobody wants", () => {
  assert.throws(() => sprintf("%100001d", [1n]), new RangeError("A width or precision of 100001 is more than 100000"));
  assert.throws(() => sprintf("%.*d", [-100_001n, 1n]), RangeError);
  assert.throws(
    () => sprintf("%100000[1]d".repeat(200), [1n]),
    new RangeError("The text would become longer than 16777216 characters"),
  );
});

test("sprint() puts a blank between values of which neither is a string, sprintln() between all", () => {
  assert.equal(sprint([1n, 2n, "a", "b", 3n, null, true]), "1 2ab3 <nil> true");
  assert.equal(sprintln([1n, "a", "b"]), "1 a b\n");
  assert.equal(sprint([]), "");
});
