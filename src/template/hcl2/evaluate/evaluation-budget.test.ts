// biome-ignore-all lint/suspicious/noTemplateCurlyInString: The templates of HCL2 look like JavaScript's.
import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluateText, parseText } from "../../../../test/helpers/hcl-expressions.ts";
import type { BinaryExpression, ConditionalExpression, Expression, TemplateExpression } from "../syntax/syntax-tree.ts";
import { numberValue, tupleValue } from "../values/construct.ts";
import { printValue } from "../values/print-value.ts";
import type { HclValue } from "../values/value.ts";
import { evaluate } from "./evaluate.ts";
import { EvaluationBudget } from "./evaluation-budget.ts";
import { HclError } from "./hcl-error.ts";

const start = { file: "test", line: 1, column: 1 };
const range = { start, end: start };
const ONE = parseText("1");
const CONDITIONAL = parseText("false ? 1 : 1") as ConditionalExpression;
const DIRECTIVE = parseText('"%{ if false }%{ else }%{ endif }"') as TemplateExpression;
const NOTHING = { variables: new Map<string, HclValue>(), functions: new Map() };

/** Each makes one level of an expression around another. */
const LEVELS: Readonly<Record<string, (inner: Expression) => Expression>> = {
  parentheses: (expression) => ({ kind: "parentheses", expression, range }),
  tuple: (item) => ({ kind: "tuple", items: [item], range }),
  object: (value) => ({ kind: "object", items: [{ key: ONE, value }], range }),
  template: (expression) => ({
    kind: "template",
    parts: [
      { kind: "interpolation", expression, range },
      { kind: "interpolation", expression: ONE, range },
    ],
    range,
  }),
  directive: (expression) => ({
    ...DIRECTIVE,
    parts: DIRECTIVE.parts.map((part) =>
      part.kind === "if" ? { ...part, else: [{ kind: "interpolation", expression, range }] } : part,
    ),
  }),
  conditional: (inner) => ({ ...CONDITIONAL, else: inner }),
  splat: (of) => ({ kind: "splat", of, each: ONE, range }),
  for: (value) => ({
    kind: "for",
    keyName: undefined,
    valueName: "x",
    collection: { kind: "tuple", items: [ONE], range },
    key: undefined,
    value,
    condition: undefined,
    isGrouping: false,
    range,
  }),
};

for (const [kind, wrap] of Object.entries(LEVELS)) {
  test(`a ${kind} in a ${kind} in … ends in an error, never in an overflow of the stack`, () => {
    const nested = (depth: number): Expression => {
      let expression: Expression = ONE;
      for (let level = 0; level < depth; level++) expression = wrap(expression);
      return expression;
    };
    assert.ok(evaluate(nested(50), NOTHING));
    for (const depth of [240, 250, 1000, 100_000]) {
      try {
        evaluate(nested(depth), NOTHING);
      } catch (error) {
        assert.ok(error instanceof HclError);
        assert.match(error.message, /nested more than \d+ levels deep/);
      }
    }
    assert.throws(() => evaluate(nested(100_000), NOTHING), HclError);
  });
}

test("a sum may have any number of terms", () => {
  let expression: Expression = ONE;
  for (let count = 1; count < 20_000; count++) {
    const next: BinaryExpression = { kind: "binary", operator: "+", left: expression, right: ONE, range };
    expression = next;
  }
  assert.equal(printValue(evaluate(expression, NOTHING)), "20000");
});

test("loops in loops end when the work of a template is used up, and all of its expressions share it", () => {
  const budget = new EvaluationBudget(1024 ** 2);
  const numbers = tupleValue(Array.from({ length: 300 }, (_, index) => numberValue(index)));
  const scope = { variables: new Map([["numbers", numbers]]), budget };
  assert.throws(
    () => evaluateText("try([for a in numbers : [for b in numbers : [for c in numbers : a + b]]], 1)", scope),
    (error) => {
      assert.ok(error instanceof HclError && error.isLimit);
      assert.equal(error.message, "The expressions of the template take too much work to evaluate");
      return true;
    },
  );
  assert.throws(() => evaluateText("1", scope), /take too much work/);
  assert.equal(printValue(evaluateText("1")), "1");
});

test("a text that doubles, or repeats within repeats, is refused and not made", () => {
  const text = `{${Array.from({ length: 60 }, (_, index) => `a${index} = 1`).join(", ")}}`;
  const loops =
    "%{ for a in x }%{ for b in x }%{ for c in x }%{ for d in x }%{ for e in x }xxxxxxxxxxxxxxxxxxxxxxxx%{ endfor }%{ endfor }%{ endfor }%{ endfor }%{ endfor }";
  const variables = new Map([["x", evaluateText(text)]]);
  assert.throws(() => evaluateText(`"${loops}"`, { variables, budget: new EvaluationBudget(4 * 1024 ** 2) }), HclError);
  const long = new Map([["x", evaluateText(`join("", [for x in range(1000) : "${"y".repeat(1000)}"])`)]]);
  assert.throws(
    () => evaluateText(`"${"$"}{"${"${x}".repeat(100)}"}"`, { variables: long }),
    /is longer than|is larger than/,
  );
});
