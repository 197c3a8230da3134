import assert from "node:assert/strict";
import { test } from "node:test";
import { type BinaryFloat, binaryOfFloat64 } from "./decimal.ts";
import { type Directive, PLAIN } from "./directive.ts";
import { type FloatVerb, floatText, formatFloat, formatInteger, type IntegerVerb } from "./format-number.ts";

/** Reads "%+08.3f" in a test's table. */
function directiveOf(text: string): { directive: Directive; verb: string } {
  const [, flags = "", width, precision, verb = ""] = /^%([-+# 0]*)(\d+)?(?:\.(\d*))?(\w)$/.exec(text) ?? [];
  return {
    verb,
    directive: {
      isAlternate: flags.includes("#"),
      isZeroPadded: flags.includes("0"),
      isLeftAligned: flags.includes("-"),
      hasPlus: flags.includes("+"),
      hasSpace: flags.includes(" "),
      width: width === undefined ? undefined : Number(width),
      precision: precision === undefined ? undefined : Number(precision),
    },
  };
}

// What Go's fmt.Sprintf gives, from the tables of its own tests (fmt_test.go, strconv/ftoa_test.go).
const FLOATS: readonly (readonly [string, number, string])[] = [
  ["%e", 1, "1.000000e+00"],
  ["%f", 1234.5678e3, "1234567.800000"],
  ["%g", 400, "400"],
  ["%g", 40, "40"],
  ["%g", 1e6, "1e+06"],
  ["%g", 123456, "123456"],
  ["%g", 1234567, "1.234567e+06"],
  ["%g", 0.0001, "0.0001"],
  ["%g", 0.00001, "1e-05"],
  ["%.3g", 123456, "1.23e+05"],
  ["%.10g", 100, "100"],
  ["%.0g", 150, "2e+02"],
  ["%G", -7e-9, "-7E-09"],
  ["%+.3e", 0, "+0.000e+00"],
  ["%.0f", 0.5, "0"],
  ["%.0f", 1.5, "2"],
  ["%.0f", 2.5, "2"],
  ["%.1f", 0.25, "0.2"],
  ["%.2f", 0.005, "0.01"],
  ["%.0f", 0.9, "1"],
  ["%.1f", 99.96, "100.0"],
  ["%.3f", 0.00004, "0.000"],
  ["%8.2f", 3.25159, "    3.25"],
  ["%-8.2f|", 3.25159, "3.25    |"],
  ["%08.2f", -3.25159, "-0003.25"],
  ["%+08.2f", 3.25159, "+0003.25"],
  ["% f", 1, " 1.000000"],
  ["%-08f|", 1.5, "1.500000|"],
  ["%g", 5e-324, "5e-324"],
  ["%g", 1.7976931348623157e308, "1.7976931348623157e+308"],
  ["%g", 2 ** 70, "1.1805916207174113e+21"],
  ["%.30f", 0.1, "0.100000000000000005551115123126"],
  ["%g", 0, "0"],
  ["%.3g", 0, "0"],
  ["%E", 123456, "1.234560E+05"],
  ["%.1f", 9.95, "9.9"],
  ["%.20e", 1, "1.00000000000000000000e+00"],
];

for (const [format, value, expected] of FLOATS) {
  test(`formatFloat() writes ${value} by "${format}" as Go does`, () => {
    const end = format.endsWith("|") ? "|" : "";
    const { directive, verb } = directiveOf(format.replace("|", ""));
    assert.equal(formatFloat(binaryOfFloat64(value), verb as FloatVerb, directive) + end, expected);
  });
}

test("floatText() finds the digits that JavaScript finds as the shortest", () => {
  for (const value of [0.1, 1 / 3, 123456.789, 2 ** -1074, 2 ** -1022, 9007199254740992, 4.35, 1e23, 5e-310, 2 ** 52]) {
    assert.equal(Number(floatText(binaryOfFloat64(value), "e", "shortest")), value);
    const digits = floatText(binaryOfFloat64(value), "e", "shortest").replace(/e.*$/, "");
    assert.equal(digits, value.toExponential().replace(/e.*$/, ""), `of ${value}`);
  }
});

test("floatText() writes numbers of 512 bits without the noise of their last ones", () => {
  // The powers of two by which a tenth and a third have 512 bits.
  const fraction = (divisor: bigint, bits: number): BinaryFloat => ({
    isNegative: false,
    mantissa: ((2n << BigInt(bits)) / divisor + 1n) / 2n,
    exponent: -bits,
    precisionBits: 512,
  });
  const tenth = fraction(10n, 515);
  assert.equal(floatText(tenth, "g", "shortest"), "0.1");
  assert.equal(floatText(tenth, "f", 5), "0.10000");
  assert.equal(floatText(fraction(3n, 513), "g", "shortest"), `0.${"3".repeat(154)}5`);
});

const INTEGERS: readonly (readonly [string, bigint, string])[] = [
  ["%d", 0n, "0"],
  ["%d", -42n, "-42"],
  ["%+d", 42n, "+42"],
  ["% d", 42n, " 42"],
  ["%5d", 42n, "   42"],
  ["%-5d", 42n, "42   "],
  ["%05d", -42n, "-0042"],
  ["%.4d", 42n, "0042"],
  ["%8.4d", -42n, "   -0042"],
  ["%08.4d", 42n, "    0042"],
  ["%.0d", 0n, ""],
  ["%x", 255n, "ff"],
  ["%#X", 255n, "0XFF"],
  ["%#010x", 255n, "0x000000ff"],
  ["%#o", 8n, "010"],
  ["%O", 8n, "0o10"],
  ["%b", 5n, "101"],
  ["%#b", -5n, "-0b101"],
  ["%d", 10n ** 30n, `1${"0".repeat(30)}`],
];

for (const [format, value, expected] of INTEGERS) {
  test(`formatInteger() writes ${value} by "${format}" as Go does`, () => {
    const { directive, verb } = directiveOf(format);
    assert.equal(formatInteger(value, verb as IntegerVerb, directive), expected);
  });
}

test("PLAIN has no width", () => {
  assert.equal(formatInteger(7n, "d", PLAIN), "7");
});
