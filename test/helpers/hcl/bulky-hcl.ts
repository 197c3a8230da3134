// Far too much of something: what a parser that calls itself, or looks at a text again and again, does not survive.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are HCL's templates, not ours

/** What is repeated, and what stands before and behind it. */
type Bulk = readonly [before: string, repeated: string, behind: string];

const BULKS: readonly Bulk[] = [
  ...([
    ["a = ", "[", ""],
    ["a = ", "{a=", ""],
    ["a = ", "(", ""],
    ["a = ", "f(", ""],
    ["a = ", "!", "b"],
    ["a = ", "-", "1"],
  ] as const),
  ...([
    ["a = ", "b ? ", ""],
    ["a = ", "b + ", "b"],
    ["a = b", ".c", ""],
    ["a = b", "[0]", ""],
    ["a = b", "[*]", ""],
    ["a = b", ".*", ""],
  ] as const),
  ...([
    ["a = ", "[for b in ", ""],
    ['a = "', "${", ""],
    ['a = "', '${"', ""],
    ['a = "', "%{if b}", ""],
    ['a = "', "${b}", '"'],
  ] as const),
  ...([
    ['a = "', "$", '"'],
    ['a = "', "\\n", '"'],
    ['a = "', "x", '"'],
    ['a = "', "$${", '"'],
    ["a = <<-A\n", "  x\n", "A\n"],
  ] as const),
  ...([
    ["a = <<-A\n", " A x\n", ""],
    ["a = ", "<<A\n${", ""],
    ["a = ", "<<", ""],
    ["a = ", "1", ""],
    ["a = ", "1.", ""],
    ["a = [", "1,", "]"],
  ] as const),
  ...([
    ["", "a {\n", ""],
    ["", "a {", ""],
    ["", "a {\n}\n", ""],
    ["", "}", ""],
    ["", "a ", ""],
    ["a ", '"b" ', "{}"],
    ["", "a = 1\n", ""],
  ] as const),
  ...([
    ["", "a =\n", ""],
    ["", "a = 1 ", ""],
    ["", 'a = "b\n', ""],
    ["", "a = [\n", ""],
    ["a = [", "\n", "]"],
    ["", "/*", ""],
    ["", "/**/", ""],
  ] as const),
  ...([
    ["", "# a\n", ""],
    ["", " ", ""],
    ["", "é", ""],
    ["", "\u0001", ""],
    ["", "é1 = 1\n", ""],
    ["", "'", ""],
    ["a = ", "b::", ""],
  ] as const),
];

/** @param length of each, about, in characters. */
export function bulkyHcl(length: number): string[] {
  return BULKS.map(([before, repeated, behind]) => before + repeated.repeat(length / repeated.length) + behind);
}
