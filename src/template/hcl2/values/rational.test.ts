import assert from "node:assert/strict";
import { test } from "node:test";
import { numberOf, numberText } from "./number-text.ts";
import {
  bitLength,
  ceiling,
  compareRationals,
  floor,
  parseRational,
  product,
  quotient,
  type Rational,
  rationalOf,
  remainder,
  roundedToBits,
  sum,
  truncated,
} from "./rational.ts";
import { ValueLimitError } from "./value-size.ts";

function parsed(text: string): Rational {
  const rational = parseRational(text);
  assert.ok(rational !== undefined, text);
  return rational;
}

test("a number text is read exactly", () => {
  assert.deepEqual(parsed("0.1"), { numerator: 1n, denominator: 10n });
  assert.deepEqual(parsed("-1.50"), { numerator: -3n, denominator: 2n });
  assert.deepEqual(parsed("12345678901234567890"), { numerator: 12345678901234567890n, denominator: 1n });
  assert.deepEqual(parsed("25e-1"), { numerator: 5n, denominator: 2n });
  assert.deepEqual(parsed("1p-3"), { numerator: 1n, denominator: 8n });
  assert.deepEqual(parsed("-0"), { numerator: 0n, denominator: 1n });
  for (const text of ["", ".", "-", "1e", "e5", "0x10", "1_0", " 1", "1 ", "Inf", "NaN", "1.2.3", "--1", "१"]) {
    assert.equal(parseRational(text), undefined, text);
  }
});

test("what is far beyond any use is refused, and does not take long", () => {
  for (const text of ["1e20001", "1e-20001", "1e999999999999", "1p99999999", "9".repeat(20_001)]) {
    assert.throws(() => parseRational(text), ValueLimitError, text);
  }
  const large = parsed("1e19000");
  assert.throws(() => product(large, large), ValueLimitError);
  assert.throws(() => quotient(rationalOf(1), product(large, parsed("1e1000"))), ValueLimitError);
});

test("arithmetic is exact where doubles are not", () => {
  assert.deepEqual(sum(parsed("0.1"), parsed("0.2")), parsed("0.3"));
  assert.deepEqual(product(quotient(rationalOf(1), rationalOf(3)), rationalOf(3)), rationalOf(1));
  assert.deepEqual(sum(rationalOf(2n ** 64n), rationalOf(1)), rationalOf(2n ** 64n + 1n));
});

test("a remainder has the sign of what is divided", () => {
  const remainders = [
    ["5", "3", "2"],
    ["-5", "3", "-2"],
    ["5", "-3", "2"],
    ["5.5", "2", "1.5"],
  ] as const;
  for (const [a, b, expected] of remainders) assert.deepEqual(remainder(parsed(a), parsed(b)), parsed(expected));
});

test("rounding goes down, up, or toward zero", () => {
  const rounded = (text: string) => [floor, ceiling, truncated].map((round) => numberText(round(parsed(text))));
  assert.deepEqual(rounded("1.5"), ["1", "2", "1"]);
  assert.deepEqual(rounded("-1.5"), ["-2", "-1", "-1"]);
  assert.deepEqual(rounded("-2"), ["-2", "-2", "-2"]);
});

test("numbers are ordered by value", () => {
  const sorted = ["2", "-1", "0.5", "1e30", "-1e30", "1e-30"].map(parsed).toSorted(compareRationals).map(numberText);
  assert.deepEqual(sorted.map(Number), [-1e30, -1, 1e-30, 0.5, 2, 1e30]);
});

test("a number with more than 512 bits is rounded to them, a half to even", () => {
  const half = 2n ** 512n;
  assert.deepEqual(sum(rationalOf(half * 2n), rationalOf(1)), rationalOf(half * 2n));
  assert.deepEqual(sum(rationalOf(half * 2n), rationalOf(3)), rationalOf(half * 2n + 4n));
  assert.deepEqual(roundedToBits(rationalOf(0b1011), 3), { mantissa: 0b110n, exponent: 1 });
  assert.deepEqual(roundedToBits(rationalOf(0b1001), 3), { mantissa: 0b100n, exponent: 1 });
  assert.deepEqual(roundedToBits(rationalOf(-0.75), 1), { mantissa: -2n, exponent: -1 });
});

test("bitLength() counts the bits", () => {
  assert.deepEqual([0n, 1n, 2n, 255n, 256n, 2n ** 512n].map(bitLength), [0, 1, 2, 8, 9, 513]);
});

test("a text has no exponent, and no more digits than 512 bits can tell apart", () => {
  const texts = ["0.1", "-0.000001", "1500000000000000000000000", "123456.789", "0", "-17"];
  assert.deepEqual(texts.map(parsed).map(numberText), texts);
  const third = quotient(rationalOf(1), rationalOf(3));
  assert.equal(numberText(third), `0.${"3".repeat(153)}35`);
  assert.equal(numberText(parsed("1e400")), `1${"0".repeat(400)}`);
  assert.equal(numberText(parsed("1e-200")), `0.${"0".repeat(199)}1`);
});

test("a text is read as the same number", () => {
  for (let index = 1; index < 300; index++) {
    const value = quotient(rationalOf(index * 7919), rationalOf(index * 104729 + 13));
    const again = parsed(numberText(value));
    assert.deepEqual(roundedToBits(again, 512), roundedToBits(value, 512), `${index}`);
  }
});

test("numberOf() is the nearest double", () => {
  for (const number of [0.1, -1.5, 1e300, 5e-324, 2 ** 53, 123456789.123])
    assert.equal(numberOf(rationalOf(number)), number);
  assert.equal(numberOf(quotient(rationalOf(1), rationalOf(3))), 1 / 3);
  assert.equal(numberOf(parsed("9007199254740993")), 9007199254740992);
  assert.equal(numberOf(parsed("1e400")), Number.POSITIVE_INFINITY);
});
