// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are HCL's templates, not ours
import assert from "node:assert/strict";
import { test } from "node:test";
import { ProblemList } from "../../../base/problems.ts";
import { parseHcl, parseHclExpression } from "./parse-hcl.ts";

function problemsOf(text: string): string[] {
  const problems = new ProblemList();
  parseHcl("web.pkr.hcl", text, problems);
  assert.equal(problems.isEmpty, false);
  return problems.sorted([]).map(({ location, message, hint }) => {
    const place = location === undefined ? "" : `${location.line}:${location.column} `;
    return `${place}${message}${hint === undefined ? "" : ` | ${hint}`}`;
  });
}

/** What somebody writes, and what is said of it. */
const MISTAKES: readonly (readonly [text: string, ...said: string[]])[] = [
  ["a = 'b'\n", `1:5 Texts are not quoted with ' | Write "…"`],
  ["a = “b”\n", '1:5 “ is no quote of HCL | Texts are quoted with straight ""'],
  ["a = b & c\n", '1:7 There is no operator "&" | The logical "and" is "&&"'],
  ["a = b and c\n", '1:7 The line must end behind the value of "a", not go on with "and" | The logical "and" is "&&"'],
  ["a = (b or c)\n", '1:8 A ")" is missing before "or": the "(" of column 5 is open | The logical "or" is "||"'],
  [
    "a = ${b}\n",
    '1:5 "$" has no meaning outside of a text | Write the expression without "${ }", or the whole in quotes',
  ],
  ["a : 1\n", '1:3 A "=" must follow "a", not ":" | Only in an object { } may it be ":"'],
  [
    'a "b"\n',
    '1:6 A "{" is missing before the end of the line: it begins what is in the block "a" | Or a "=" behind "a", if it is an argument',
  ],
  [
    "a\n",
    '1:2 A "=", a label or a "{" must follow "a", not the end of the line | An argument is written: name = value; a block is written: type "label" { … }',
  ],
  ["a = 1 b = 2\n", '1:7 A new line is missing between the value of "a" and "b"'],
  ["a = 1,\n", '1:6 A "," behind the value of "a" | The end of the line ends an argument'],
  ["a = 1;\n", '1:6 ";" has no meaning | The end of the line ends an argument'],
  ["a = b\n? c\n: d\n", '2:1 The name of an argument or block is missing before "?"'],
  [
    "a =\n1\n",
    "1:4 A value is missing before the end of the line | A value begins in the line of what it belongs to; only in ( ) and [ ] it may begin in a later one",
  ],
  ["a = 1\na = 2\n", '2:1 "a" is set twice | It is set in line 1 already: remove one'],
  ['"a" = 1\n', "1:1 The name of an argument or block must not be in quotes"],
  ["a = b == = c\n", '1:10 A value is missing before "=" | Values are compared with "==", or with ">=" and "<="'],
  ["a = b = c\n", '1:7 The line must end behind the value of "a", not go on with "=" | Values are compared with "=="'],
  [
    "a = b ? c\n",
    '1:10 A ":" is missing before the end of the line: the "?" of column 7 needs it | A conditional is written: condition ? value : other value',
  ],
  ["a = b.0.1\n", '1:7 ".0.1" is a broken number, not two indexes | Write [0][1]'],
  ["a = b.\n", '1:6 A name is missing behind this ".", before the end of the line'],
  ["a = 1.2.3\n", '1:5 "1.2.3" is not a number | Text must be in quotes'],
  [
    "a = {b.c = 1}\n",
    '1:6 The key b.c can be read in two ways | Write "b.c" in quotes for that text, or (b.c) for that value',
  ],
  [
    "a = [for b in c : b => d]\n",
    '1:21 A for expression that makes a list has no "=>" | It is written: [for value in list : result if condition]',
  ],
  [
    "a = {for b in c : d}\n",
    '1:20 A "=>" is missing before "}": a for expression that makes an object has keys | It is written: {for key, value in object : key => result if condition}',
  ],
  // blocks
  [
    "a { b = 1, c = 2 }\n",
    '1:10 A block in one line holds one argument: a "}" is missing before ",", for the "{" of "a" | Write what is in it in lines of its own',
  ],
  [
    "a { b {} }\n",
    '1:7 A block in one line holds one argument, name = value, not "b" | Write what is in it in lines of its own',
  ],
  ["a {\n  b = 1 }\n", '2:9 A new line is missing between the value of "b" and the "}"'],
  ["a\n{\n}\n", '2:1 The "{" of the block "a" must stand in the line of its name'],
  ['a "b"\n{\n}\n', '2:1 The "{" of the block "a" must stand in the line of its name'],
  ['a "b" = {\n}\n', '1:7 There is no "=" between the block "a" and its "{"'],
  ['a "${b}" {}\n', '1:4 A label is only text: there is no "${" in it | Write "$${"'],
  ["}\n", '1:1 This "}" is too much: no block is open'],
  // texts
  ['a = "b\nc = 1\n', '1:5 This text has no closing " in its line | A text of more than one line is a heredoc: <<EOT'],
  [
    'a = "${b"\n',
    '1:9 A "}" is missing before a quote: the "${" of column 6 is open | A "${" that is no template is written "$${"',
  ],
  [
    'a = "${b:-c}"\n',
    '1:9 A "}" is missing before ":": the "${" of column 6 is open | A "${" that is no template is written "$${"',
  ],
  [
    'a = "\\d+"\n',
    '1:6 "\\d" is no escape | A backslash itself is "\\\\"; the escapes are \\n \\r \\t \\" \\\\ \\uNNNN \\UNNNNNNNN',
  ],
  ['a = "\\u12"\n', '1:6 "\\u" needs 4 hexadecimal digits behind it'],
  [
    'a = "%{ iff b }"\n',
    '1:9 A "%{" begins one of "if", "else", "endif", "for", "endfor", not "iff" | Did you mean "if"?',
  ],
  ['a = "%{ if b }c"\n', '1:6 This "%{ if }" has no "%{ endif }"'],
  [
    'a = "%{ for b in c }%{ endif }"\n',
    '1:21 A "%{ endfor }" is missing before this "%{ endif }": the "%{ for }" of column 6 is open',
  ],
  ["a = <<EOT\nb\nEOT", '1:5 The heredoc "EOT" has no end | A line must end behind the "EOT" at its end, too'],
  [
    "a = f(<<EOT\nb\nEOT)\n",
    '1:7 The heredoc "EOT" has no end | Nothing else may stand in the line of the "EOT" that ends it',
  ],
  ["a {\n  b = <<EOT\nb\n}\n", '2:7 The heredoc "EOT" has no end | It ends with a line that is only "EOT"'],
  ["a {\n".repeat(20_000), "201:4 Nested deeper than 200 levels"],
  ["a {\n".repeat(20_000) + "}\n".repeat(20_000), "201:4 Nested deeper than 200 levels"],
  ["a = <<EOT\nb\n", '1:5 The heredoc "EOT" has no end | It ends with a line that is only "EOT"'],
  ["/* a = 1\n", '1:1 This comment has no closing "*/"'],
];

for (const [text, ...said] of MISTAKES) {
  test(`says what is wrong in ${JSON.stringify(text)}`, () => {
    assert.deepEqual(problemsOf(text), said);
  });
}

test("tells all mistakes of a file, each once", () => {
  const text = `build {
  sources = ['a']
  name = "x
  provisioner "shell" {
    inline = ["a" "b"]
    only = [1, 2
  }
  a = 1 +
  b = 2
}
variable "c" { default = }
`;
  assert.deepEqual(
    problemsOf(text).map((problem) => problem.split(" ")[0]),
    ["2:14", "3:10", "5:19", "7:3", "8:10", "11:26"],
  );
});

test("names the block whose brace is missing, by the indentation", () => {
  const text = 'build {\n  provisioner "shell" {\n    a = 1\n}\n\nvariable "a" {\n}\n';
  assert.deepEqual(problemsOf(text), [
    '2:3 The block "provisioner" has no closing "}" | The "}" of line 4 is indented as that of another block',
  ]);
});

test("an unclosed bracket does not hide the rest of the file", () => {
  assert.deepEqual(problemsOf("a = [1,\nb = 2\nc = 'd'\n"), [
    '2:3 A "," or "]" is missing before "=": the "[" of line 1 is open | Values are compared with "=="',
    `3:5 Texts are not quoted with ' | Write "…"`,
  ]);
});

test("an end of nesting is told, not a stack", () => {
  const problems = new ProblemList();
  assert.equal(parseHclExpression("-var", `${"[".repeat(50_000)}1`, problems), undefined);
  assert.deepEqual(
    problems.sorted([]).map(({ message }) => message),
    ["Nested deeper than 200 levels"],
  );
});

test("a long chain of operators is refused before whoever evaluates it overflows", () => {
  const chain = (length: number) => parseHclExpression("-var", `1${" + 1".repeat(length)}`, new ProblemList());
  assert.ok(chain(300) !== undefined);
  assert.equal(chain(500), undefined);
});
