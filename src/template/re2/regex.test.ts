import assert from "node:assert/strict";
import { test } from "node:test";
import { Re2 } from "./regex.ts";
import { RegexError } from "./regex-syntax.ts";

// From Go's own tests (regexp/find_test.go, re2-search.txt), and what differs from JavaScript.
const MATCHES: readonly (readonly [pattern: string, text: string, groups: (string | undefined)[] | undefined])[] = [
  ["", "", [""]],
  ["^abcdefg", "abcdefg", ["abcdefg"]],
  ["a+", "baaab", ["aaa"]],
  ["a+?", "baaab", ["a"]],
  ["(?U)a+", "baaab", ["a"]],
  ["[a-z]+", "ABabcd1", ["abcd"]],
  ["[^a-z]+", "ab1234cd", ["1234"]],
  ["[a\\-\\]z]+", "az]-bcz", ["az]-"]],
  ["[]a]", "]", ["]"]],
  ["[^\\n]+", "abcd\n", ["abcd"]],
  ["[^a]", "\n", ["\n"]],
  [".", "\n", undefined],
  ["(?s).", "\n", ["\n"]],
  ["日本語+", "日本語語", ["日本語語"]],
  ["()", "", ["", ""]],
  ["(a)", "a", ["a", "a"]],
  ["(.)(.)", "日a", ["日a", "日", "a"]],
  ["(.*)", "abcd", ["abcd", "abcd"]],
  ["(..)(..)", "abcd", ["abcd", "ab", "cd"]],
  ["(([^xyz]*)(d))", "abcd", ["abcd", "abcd", "abc", "d"]],
  ["((a|b|c)*(d))", "abcd", ["abcd", "abcd", "c", "d"]],
  ["(a*)*", "b", ["", ""]],
  ["(a*)+", "b", ["", ""]],
  ["(a*|b)(c*)", "abcd", ["a", "a", ""]],
  // JavaScript forgets the first group in the second round.
  ["(?:(a)|b)*", "ab", ["ab", "a"]],
  ["(?:(?:^).)+", "ab", ["a"]],
  ["a|ab", "ab", ["a"]],
  ["(?i)straSSe", "STRASSE", ["STRASSE"]],
  ["(?i)k", "\u212a", ["\u212a"]],
  ["(?i:A)b", "ab", ["ab"]],
  ["(?i:A)b", "aB", undefined],
  ["(?i)a(?-i)b", "AB", undefined],
  ["((?i)a)b", "aB", undefined],
  ["(?m)^b$", "a\nb\nc", ["b"]],
  ["^b$", "a\nb\nc", undefined],
  ["a$", "a\n", undefined],
  ["\\Aa\\z", "a", ["a"]],
  ["\\bfoo\\b", "a foo b", ["foo"]],
  ["\\Boo", "foo", ["oo"]],
  ["\\d\\D\\s\\S\\w\\W", "1a b_-", ["1a b_-"]],
  ["[[:alpha:]][[:^alpha:]]", "ab1", ["b1"]],
  ["[\\d\\-x]+", "a1-x", ["1-x"]],
  ["\\pL\\p{Lu}\\P{Lu}\\p{Greek}\\p{^Greek}", "aBcαd", ["aBcαd"]],
  ["\\x41\\x{1F600}\\101\\0", "A😀A\0", ["A😀A\0"]],
  ["\\Qa.b\\E+", "a.bb", ["a.bb"]],
  ["\\a\\f\\t\\n\\r\\v", "\x07\f\t\n\r\v", ["\x07\f\t\n\r\v"]],
  ["x{2}", "xxx", ["xx"]],
  ["x{2,}", "xxx", ["xxx"]],
  ["x{1,2}?", "xxx", ["x"]],
  ["x{,2}", "x{,2}", ["x{,2}"]],
  ["a{0}b", "ab", ["b"]],
  ["^*", "a", [""]],
  ["(?P<year>\\d{4})-(?<month>\\d\\d)", "in 2024-05", ["2024-05", "2024", "05"]],
  [".", "😀", ["😀"]],
  ["\\_\\-\\/", "_-/", ["_-/"]],
  ["(|a)+", "aaa", ["", ""]],
  ["(|a)*", "aaa", ["", ""]],
];

for (const [pattern, text, groups] of MATCHES) {
  test(`Re2 finds /${pattern}/ in ${JSON.stringify(text)}`, () => {
    assert.deepEqual(new Re2(pattern).find(text), groups);
  });
}

const WRONG: readonly (readonly [pattern: string, message: string])[] = [
  ["(?=a)", "invalid or unsupported Perl syntax: `(?=`"],
  ["(?!a)", "invalid or unsupported Perl syntax: `(?!`"],
  ["(?<=a)b", "invalid or unsupported Perl syntax: `(?<=`"],
  ["(?>a)", "invalid or unsupported Perl syntax: `(?>`"],
  ["(?P=n)", "invalid or unsupported Perl syntax: `(?P`"],
  ["(a)\\1", "invalid escape sequence: `\\1`"],
  ["\\Z", "invalid escape sequence: `\\Z`"],
  ["\\y", "invalid escape sequence: `\\y`"],
  ["\\C", "invalid escape sequence: `\\C`"],
  ["*", "missing argument to repetition operator: `*`"],
  ["(+)", "missing argument to repetition operator: `+`"],
  ["a|*", "missing argument to repetition operator: `*`"],
  ["a**", "invalid nested repetition operator: `**`"],
  ["a*+", "invalid nested repetition operator: `*+`"],
  ["a{1001}", "invalid repeat count: `{1001}` (at most 1000)"],
  ["a{2,1}", "invalid repeat count: `{2,1}` (at most 1000)"],
  ["((a{500}){500}){500}", "the expression is too large"],
  ["(a", "missing closing ): `(a`"],
  ["a)", "unexpected )"],
  ["[a", "missing closing ]: `[a`"],
  ["[z-a]", "invalid character class range: `z-a`"],
  ["[[:nope:]]", "invalid character class range: `[:nope:]`"],
  ["\\p{Nope}", "invalid character class range: `\\p{Nope}`"],
  ["a\\", "trailing backslash at end of expression"],
  ["(?P<n>a)(?P<n>b)", "duplicate capture group name: `n`"],
  ["(".repeat(300), "groups are nested too deeply"],
];

for (const [pattern, message] of WRONG) {
  test(`Re2 refuses /${pattern.slice(0, 20)}/`, () => {
    assert.throws(() => new Re2(pattern), new RegexError(message));
  });
}

test("Re2 takes no longer for what makes others backtrack for ever", () => {
  assert.equal(new Re2("^(a|a)*(a*)*(a+)+$").find(`${"a".repeat(2000)}b`), undefined);
});

test("Re2 gives up on what is too much work, with an error", () => {
  const pattern = `(${"a?".repeat(900)}){20}$`;
  assert.throws(() => new Re2(pattern).find("a".repeat(20_000)), /too much work for this text/);
});

test("Re2.findAll() finds what does not overlap, and nothing empty behind a match", () => {
  const all = (pattern: string, text: string) => new Re2(pattern).findAll(text).map(([match]) => match);
  assert.deepEqual(all("[a-z]+", "1234abcd5678efgh9"), ["abcd", "efgh"]);
  assert.deepEqual(all("a*", "baaac"), ["", "aaa", ""]);
  assert.deepEqual(all("", "a😀"), ["", "", ""]);
  assert.deepEqual(all("\\b", "ab c"), ["", "", "", ""]);
  assert.deepEqual(all("^a", "aaa"), ["a"]);
  assert.deepEqual(all("x", "abc"), []);
});

test("Re2.replaceAll() expands groups as Go's templates do", () => {
  const replace = (pattern: string, text: string, by: string) => new Re2(pattern).replaceAll(text, by);
  assert.equal(replace("a(x*)b", "-ab-axxb-", "T"), "-T-T-");
  assert.equal(replace("a(x*)b", "-ab-axxb-", "$1"), "--xx-");
  assert.equal(replace("a(x*)b", "-ab-axxb-", "$1W"), "---");
  assert.equal(replace("a(x*)b", "-ab-axxb-", "${1}W"), "-W-xxW-");
  assert.equal(replace("(?P<x>x)", "axb", "[${x}$x$$y$]"), "a[xx$y$]b");
  assert.equal(replace("a*", "baaac", "x"), "xbxcx");
  assert.equal(replace("", "日本", "-"), "-日-本-");
  assert.equal(replace("\\s", "2024-05-06T07:08:09Z a", ""), "2024-05-06T07:08:09Za");
  assert.equal(replace("[- TZ:]", "2024-05-06T07:08:09Z", ""), "20240506070809");
  assert.equal(replace("(a)(b)?", "a", "<$2|$3|$0>"), "<||a>");
});
