import type { BinaryExpression, BinaryOperator, Expression, UnaryExpression } from "../syntax/syntax-tree.ts";
import { boolValue, numberValue, unknownValue } from "../values/construct.ts";
import { isTrue, rationalIn } from "../values/contents.ts";
import { equals } from "../values/equals.ts";
import {
  compareRationals,
  difference,
  negated,
  product,
  quotient,
  type Rational,
  remainder,
  sum,
} from "../values/rational.ts";
import { BOOL, type HclType, type HclValue, NUMBER, UNKNOWN } from "../values/value.ts";
import type { Evaluation } from "./evaluation.ts";
import { collectBoth, ErrorCollector, HclError } from "./hcl-error.ts";

/** `-a`, `!a` */
export function evaluateUnary({ operator, operand }: UnaryExpression, evaluation: Evaluation): HclValue {
  const type = operator === "-" ? NUMBER : BOOL;
  const what = `The operand of "${operator}"`;
  const value = operandOf(evaluation.evaluate(operand), type, { what, expression: operand, evaluation });
  if (value.content === UNKNOWN) return value;
  return operator === "-" ? numberValue(negated(rationalIn(value))) : boolValue(!isTrue(value));
}

/** The left operands of `a + b + c + …` are nested, of which there may be very many: they are taken one after the other. */
export function evaluateBinary(expression: BinaryExpression, evaluation: Evaluation): HclValue {
  const chain = [expression];
  let first = expression.left;
  while (first.kind === "binary") {
    chain.push(first);
    first = first.left;
  }
  const errors = new ErrorCollector();
  let left = errors.attempt(() => evaluation.evaluate(first));
  for (const step of chain.toReversed()) {
    const known = left;
    // Of an operand that has no value, the other one tells its own errors.
    left = errors.attempt(() =>
      known === undefined ? void evaluation.evaluate(step.right) : operate(step, known, evaluation),
    );
  }
  errors.throwAny();
  return left as HclValue;
}

function operate(expression: BinaryExpression, left: HclValue, evaluation: Evaluation): HclValue {
  const { operator, range } = expression;
  const rightValue = (): HclValue => evaluation.evaluate(expression.right);
  if (operator === "&&" || operator === "||") return decide(expression, left, evaluation);
  if (operator === "==" || operator === "!=") return compare(operator, left, rightValue(), evaluation);
  const right = { what: sideOf("right", operator), expression: expression.right, evaluation };
  const [a, b] = collectBoth(
    () => operandOf(left, NUMBER, { what: sideOf("left", operator), expression: expression.left, evaluation }),
    () => operandOf(rightValue(), NUMBER, right),
  );
  const isComparison = operator in COMPARISONS;
  if (a.content === UNKNOWN || b.content === UNKNOWN) return unknownValue(isComparison ? BOOL : NUMBER);
  const [x, y] = [rationalIn(a), rationalIn(b)];
  const holds = COMPARISONS[operator];
  if (holds !== undefined) return boolValue(holds(compareRationals(x, y)));
  if (y.numerator === 0n && (operator === "/" || operator === "%")) {
    throw new HclError("Cannot divide by zero", range);
  }
  const calculate = ARITHMETIC[operator];
  if (calculate === undefined) throw new TypeError(`No operator is "${operator}"`);
  return numberValue(calculate(x, y));
}

const COMPARISONS: Readonly<Partial<Record<BinaryOperator, (order: number) => boolean>>> = {
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
};

const ARITHMETIC: Readonly<Partial<Record<BinaryOperator, (a: Rational, b: Rational) => Rational>>> = {
  "+": sum,
  "-": difference,
  "*": product,
  "/": quotient,
  "%": remainder,
};

/**
 * `&&` and `||`. What the left operand decides, the right one does not change, even if it has no value:
 * `x != null && x.size > 1`. So it is in newer versions of HCL; older ones want a value of both.
 */
function decide(expression: BinaryExpression, left: HclValue, evaluation: Evaluation): HclValue {
  const { operator } = expression;
  const deciding = operator === "||";
  const a = operandOf(left, BOOL, { what: sideOf("left", operator), expression: expression.left, evaluation });
  if (a.content === deciding) return a;
  const right = { what: sideOf("right", operator), expression: expression.right, evaluation };
  const b = operandOf(evaluation.evaluate(expression.right), BOOL, right);
  if (b.content === deciding) return b;
  return a.content === UNKNOWN ? a : b;
}

function compare(operator: "==" | "!=", a: HclValue, b: HclValue, evaluation: Evaluation): HclValue {
  evaluation.spendOn([a, b]);
  const answer = equals(a, b);
  return operator === "==" || answer.content === UNKNOWN ? answer : boolValue(!isTrue(answer));
}

interface Operand {
  readonly what: string;
  readonly expression: Expression;
  readonly evaluation: Evaluation;
}

/** The operand as the type that the operator takes. Not null. */
function operandOf(value: HclValue, type: HclType, { what, expression: { range }, evaluation }: Operand): HclValue {
  if (value.content === null) throw new HclError(`${what} must not be null`, range);
  return evaluation.convert(value, type, { what, range });
}

function sideOf(side: "left" | "right", operator: BinaryOperator): string {
  return `The ${side} operand of "${operator}"`;
}
