// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are HCL's templates, not ours
import assert from "node:assert/strict";
import { test } from "node:test";
import { ProblemList } from "../../../base/problems.ts";
import { parseHcl, parseHclExpression, parseHclTemplate } from "./parse-hcl.ts";
import { fileSource } from "./source.ts";
import { type Body, type Expression, type SourceRange, SPLAT_ITEM, type TemplatePart } from "./syntax-tree.ts";

function bodyOf(text: string): Body {
  const problems = new ProblemList();
  const body = parseHcl("web.pkr.hcl", text, problems);
  assert.ok(body !== undefined, JSON.stringify(problems.sorted([])));
  return body;
}

function expressionOf(text: string): Expression {
  const problems = new ProblemList();
  const expression = parseHclExpression("-var", text, problems);
  assert.ok(expression !== undefined, JSON.stringify(problems.sorted([])));
  return expression;
}

function partsOf(text: string): readonly TemplatePart[] {
  const expression = expressionOf(text);
  assert.ok(expression.kind === "template");
  return expression.parts;
}

function textOf(text: string): string {
  return partsOf(text)
    .map((part) => (part.kind === "text" ? part.text : `<${part.kind}>`))
    .join("");
}

function shown({ start, end }: SourceRange): string {
  return `${start.line}:${start.column}-${end.line}:${end.column}`;
}

test("a body has its arguments and blocks in the order of the file, with their places", () => {
  const body = bodyOf('# é\na = 1\nsource "x" y {\n  b = [\n    2,\n  ]\n}\nc {}\n');
  const a = body.attributes.get("a");
  assert.ok(a !== undefined);
  assert.deepEqual([shown(a.nameRange), shown(a.range), shown(a.value.range)], ["2:1-2:2", "2:1-2:6", "2:5-2:6"]);
  const [source, c] = body.blocks;
  assert.ok(source !== undefined);
  assert.deepEqual(
    source.labels.map(({ text, range }) => [text, shown(range)]),
    [
      ["x", "3:8-3:11"],
      ["y", "3:12-3:13"],
    ],
  );
  assert.deepEqual([shown(source.typeRange), shown(source.range)], ["3:1-3:7", "3:1-7:2"]);
  assert.equal(shown(source.body.attributes.get("b")?.value.range ?? source.range), "4:7-6:4");
  assert.equal(c?.type, "c");
});

test("names of JavaScript's own objects are names like any other", () => {
  const body = bodyOf("__proto__ = 1\nconstructor = 2\ntoString {}\n");
  assert.deepEqual([...body.attributes.keys()], ["__proto__", "constructor"]);
});

test("a number is the text that was written", () => {
  const number = expressionOf("12345678901234567890.50");
  assert.deepEqual(number.kind === "literal" && number.value, { number: "12345678901234567890.50" });
});

test("a full splat takes all that follows it, the old one only names and numbers", () => {
  const full = expressionOf("a[*].b[0]");
  assert.ok(full.kind === "splat" && full.each.kind === "index" && full.each.of.kind === "attribute");
  assert.ok(full.each.of.of.kind === "variable" && full.each.of.of.name === SPLAT_ITEM);
  const old = expressionOf("a.*.b[0]");
  assert.ok(old.kind === "index" && old.of.kind === "splat" && old.of.each.kind === "attribute");
});

test("a.0 is an attribute by the name of a number", () => {
  const expression = expressionOf("a.007");
  assert.ok(expression.kind === "attribute" && expression.name === "7");
});

test("an operator binds to the left, and closer by its precedence", () => {
  const expression = expressionOf("1 - 2 - 3 * 4");
  assert.ok(expression.kind === "binary" && expression.left.kind === "binary" && expression.right.kind === "binary");
  assert.deepEqual([expression.left.operator, expression.right.operator], ["-", "*"]);
  assert.deepEqual([shown(expression.left.range), shown(expression.right.range)], ["1:1-1:6", "1:9-1:14"]);
});

test("escapes are decoded", () => {
  assert.equal(textOf('"\\n\\t\\r\\"\\\\\\u00e9\\U0001F98A $${a} %%{b} $ 100%"'), '\n\t\r"\\é🦊 ${a} %{b} $ 100%');
});

test("a ~ removes the space next to it, and not more than one token of it", () => {
  assert.equal(textOf('"a \\n ${~ b ~} \\n c"'), "a<interpolation>c");
  assert.equal(textOf("<<A\na\n  ${~ b ~}  \n  c\nA\n"), "a\n<interpolation>  c\n");
});

test("an interpolation alone is its value, but not one with a trimmed text beside it", () => {
  assert.deepEqual(
    partsOf('"${a}"').map(({ kind }) => kind),
    ["interpolation"],
  );
  assert.deepEqual(
    partsOf('"${a ~} "').map(({ kind }) => kind),
    ["interpolation", "text"],
  );
  assert.deepEqual(partsOf('""'), []);
});

test("<<- removes the indent that all lines have", () => {
  assert.equal(textOf("<<-A\n    a\n\n   b\n     ${c}\n   A\n"), " a\n\nb\n  <interpolation>\n");
  assert.equal(textOf("<<A\n    a\n   A\n"), "    a\n");
});

test("directives nest", () => {
  const [part] = partsOf('"%{ for k, v in a }%{ if v }${k}%{ else }-%{ endif }%{ endfor }"');
  assert.ok(part?.kind === "for" && part.keyName === "k" && part.valueName === "v");
  const [inner] = part.body;
  assert.ok(inner?.kind === "if");
  assert.deepEqual(
    [inner.then.map(({ kind }) => kind), inner.else.map(({ kind }) => kind)],
    [["interpolation"], ["text"]],
  );
  assert.equal(shown(inner.range), "1:20-1:53");
});

test("each character of a text is found in the file again", () => {
  const [part] = partsOf("<<-A\n    é\\x$${a}\n  b\n  A\n");
  assert.ok(part?.kind === "text");
  assert.equal(part.text, "  é\\x${a}\nb\n");
  const places = ["é", "$", "{", "b"].map((character) => part.locate(part.text.indexOf(character)));
  assert.deepEqual(
    places.map(({ line, column }) => `${line}:${column}`),
    ["2:5", "2:9", "2:10", "3:3"],
  );
  const [quoted] = partsOf('"a\\u00e9b\\nc"');
  assert.ok(quoted?.kind === "text");
  assert.deepEqual(
    [...quoted.text].map((_, offset) => quoted.locate(offset).column),
    [2, 3, 9, 10, 12],
  );
});

test("a text is a template as a whole, where quotes and backslashes are only characters", () => {
  const problems = new ProblemList();
  const template = parseHclTemplate(fileSource("motd.pkrtpl", 'a "\\n"\n${b}\n%{ if c }\nd\n%{ endif }\n$'), problems);
  assert.deepEqual(
    template?.parts.map((part) => (part.kind === "text" ? part.text : part.kind)),
    ['a "\\n"\n', "interpolation", "\n", "if", "\n$"],
  );
});
