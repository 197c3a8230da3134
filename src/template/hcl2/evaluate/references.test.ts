// biome-ignore-all lint/suspicious/noTemplateCurlyInString: The templates of HCL2 look like JavaScript's.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseText } from "../../../../test/helpers/hcl-expressions.ts";
import { references } from "./references.ts";

test("references() finds all names from outside, in their order", () => {
  const cases: Readonly<Record<string, string>> = {
    "1": "",
    "var.a": "var.a",
    'data.amazon-ami["x"].id': "data.amazon-ami.x.id",
    "local.a[0].b": "local.a",
    "local.a[var.i].b": "local.a var.i",
    "local.a[*].b[local.c]": "local.a local.c",
    "(var.a).b": "var.a",
    '"${var.a}-%{ if var.b }${var.c}%{ else }${var.d}%{ endif }"': "var.a var.b var.c var.d",
    '"%{ for x in var.a }${x}${var.b}%{ endfor }"': "var.a var.b",
    "[for k, v in var.a : [k, v, w, var.b] if v > var.c]": "var.a w var.b var.c",
    "{for x in x : x => x.y...}": "x",
    "{(var.a) = var.b, c = local.d}": "var.a var.b local.d",
    "f(var.a, g(var.b)...)": "var.a var.b",
    "var.a ? -var.b : !var.c || var.d": "var.a var.b var.c var.d",
    "path.root == each.value": "path.root each.value",
    "var.a + var.a": "var.a var.a",
  };
  for (const [text, expected] of Object.entries(cases)) {
    const found = references(parseText(text)).map(({ path }) => path.join("."));
    assert.equal(found.join(" "), expected, text);
  }
});

test("a reference says where it stands", () => {
  const [reference] = references(parseText("1 + data.a.b"));
  assert.deepEqual([reference?.range.start.column, reference?.range.end.column], [5, 13]);
});
