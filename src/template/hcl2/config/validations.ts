import { references } from "../evaluate/references.ts";
import type { Block, Expression } from "../syntax/syntax-tree.ts";
import { ConversionError } from "../values/conversion-error.ts";
import { convert } from "../values/convert.ts";
import { STRING } from "../values/value.ts";
import { blocksOf } from "./body-blocks.ts";
import { type Evaluation, tryEvaluate } from "./evaluation.ts";

/** What a value of a variable must hold to. */
export interface Validation {
  readonly condition: Expression;
  /** What is said of a value that does not. */
  readonly errorMessage: string;
}

/** @returns none if anything in it is wrong, which has been told. */
export function readValidation(block: Block, variableName: string, evaluation: Evaluation): Validation[] {
  const { problems } = evaluation;
  const { attributes } = blocksOf(block.body, {}, problems);
  for (const { name, nameRange } of attributes.values()) {
    if (name === "condition" || name === "error_message") continue;
    problems.add(`Unknown key "${name}" of a validation`, {
      location: nameRange.start,
      hint: 'There are "condition" and "error_message"',
    });
  }
  const condition = attributes.get("condition")?.value;
  const message = attributes.get("error_message")?.value;
  for (const [key, value] of [
    ["condition", condition],
    ["error_message", message],
  ] as const) {
    if (value !== undefined) continue;
    problems.add(`The key "${key}" of a validation is missing`, { location: block.typeRange.start });
  }
  const isAboutVariable = condition !== undefined && checkReferences(condition, variableName, evaluation);
  const errorMessage = message === undefined ? undefined : readErrorMessage(message, evaluation);
  return isAboutVariable && errorMessage !== undefined ? [{ condition, errorMessage }] : [];
}

/** As in Packer: a condition looks at its own variable, and at nothing else. */
function checkReferences(condition: Expression, name: string, { problems }: Evaluation): boolean {
  const used = references(condition);
  const others = used.filter(({ path: [root, variable] }) => root !== "var" || variable !== name);
  for (const { range } of others) {
    problems.add(`The condition can use no other name than "var.${name}"`, { location: range.start, end: range.end });
  }
  if (used.length === 0) {
    const { start, end } = condition.range;
    const hint = "Without it, it is the same for every value";
    problems.add(`The condition must use "var.${name}"`, { location: start, end, hint });
  }
  return used.length > 0 && others.length === 0;
}

/** As in Packer, it calls nothing and knows no names. */
function readErrorMessage(expression: Expression, { scope, problems }: Evaluation): string | undefined {
  const value = tryEvaluate(expression, { scope: { ...scope, variables: new Map(), functions: new Map() }, problems });
  if (value === undefined) return undefined;
  const { start, end } = expression.range;
  const text = textOf(value);
  if (text !== undefined && isSentence(text)) return text;
  problems.add('"error_message" must be a sentence: it begins with a capital letter and ends with ".", "?" or "!"', {
    location: start,
    end,
    hint: `For example: "The value must have 4 characters."`,
  });
  return undefined;
}

function textOf(value: Parameters<typeof convert>[0]): string | undefined {
  try {
    const { content } = convert(value, STRING);
    return typeof content === "string" ? content : undefined;
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    return undefined;
  }
}

/** As Packer tells it. Not every alphabet has capitals, but it wants one of every letter. */
function isSentence(text: string): boolean {
  return /^(?:\p{Lu}|\P{L})/u.test(text.trim()) && /[.?!]$/.test(text.trim());
}
