import type { Expression, SourceRange, TemplateExpression, TemplatePart } from "../syntax/syntax-tree.ts";
import { stringValue, unknownValue } from "../values/construct.ts";
import { isTrue, textOf } from "../values/contents.ts";
import { BOOL, type HclValue, STRING, UNKNOWN } from "../values/value.ts";
import { ValueLimitError } from "../values/value-size.ts";
import type { Evaluation } from "./evaluation.ts";
import { collect, HclError } from "./hcl-error.ts";
import { elementsOf, loopVariables } from "./iterate.ts";

export function evaluateTemplate({ parts }: TemplateExpression, evaluation: Evaluation): HclValue {
  const [first] = parts;
  if (parts.length === 1 && first?.kind === "interpolation") return evaluation.evaluate(first.expression);
  const text = joined(collect(parts.map((part) => () => textOfPart(part, evaluation))));
  if (text === UNKNOWN) return unknownValue(STRING);
  const value = stringValue(text);
  evaluation.spendOn([value]);
  return value;
}

/** As long as a value can be. */
const TEXT_LENGTH_MAX = 64 * 1024 ** 2;

type Text = string | typeof UNKNOWN;

function joined(texts: readonly Text[]): Text {
  if (texts.includes(UNKNOWN)) return UNKNOWN;
  checkLength(texts.reduce((length, text) => length + (text as string).length, 0));
  return texts.join("");
}

/** Before the text is put together: it could be longer than a text can be. */
function checkLength(length: number): void {
  if (length > TEXT_LENGTH_MAX) throw new ValueLimitError(`A text is longer than ${TEXT_LENGTH_MAX} characters`);
}

function textOfPart(part: TemplatePart, evaluation: Evaluation): Text {
  switch (part.kind) {
    case "text":
      return part.text;
    case "interpolation":
      return interpolated(part.expression, evaluation);
    case "if": {
      const condition = conditionOf(part.condition, evaluation);
      if (condition === UNKNOWN) return UNKNOWN;
      return textOfParts(condition ? part.then : part.else, part.range, evaluation);
    }
    case "for":
      return repeated(part, evaluation);
  }
}

/** What stands within a directive, as a template of its own. */
function textOfParts(parts: readonly TemplatePart[], range: SourceRange, evaluation: Evaluation): Text {
  const [first] = parts;
  const isInterpolation = parts.length === 1 && first?.kind === "interpolation";
  return interpolated(isInterpolation ? first.expression : { kind: "template", parts, range }, evaluation);
}

function interpolated(expression: Expression, evaluation: Evaluation): Text {
  const { range } = expression;
  const value = evaluation.evaluate(expression);
  if (value.content === null) throw new HclError("A value in a text must not be null", range);
  const converted = evaluation.convert(value, STRING, { what: "A value in a text", range });
  return converted.content === UNKNOWN ? UNKNOWN : textOf(converted);
}

/** Whether the condition of an "if" holds. */
export function conditionOf(expression: Expression, evaluation: Evaluation): boolean | typeof UNKNOWN {
  const { range } = expression;
  const value = evaluation.evaluate(expression);
  if (value.content === null) throw new HclError("The condition must not be null", range);
  const converted = evaluation.convert(value, BOOL, { what: "The condition", range });
  return converted.content === UNKNOWN ? UNKNOWN : isTrue(converted);
}

function repeated(part: TemplatePart & { kind: "for" }, evaluation: Evaluation): Text {
  const elements = elementsOf(evaluation.evaluate(part.collection), part.collection.range);
  if (elements === UNKNOWN) return UNKNOWN;
  const texts: Text[] = [];
  let length = 0;
  for (const element of elements) {
    const text = textOfParts(part.body, part.range, evaluation.with(...loopVariables(part, element)));
    texts.push(text);
    length += text === UNKNOWN ? 0 : text.length;
    checkLength(length);
  }
  return joined(texts);
}
