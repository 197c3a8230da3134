import type { ProblemList } from "../../../base/problems.ts";
import { innerScope } from "../evaluate/scope.ts";
import { objectValue, unknownValue } from "../values/construct.ts";
import { isKnown, isWhollyKnown } from "../values/contents.ts";
import { ConversionError } from "../values/conversion-error.ts";
import { convert } from "../values/convert.ts";
import { BOOL, DYNAMIC, type HclValue } from "../values/value.ts";
import { type Evaluation, tryEvaluate } from "./evaluation.ts";
import { addSecrets } from "./secrets.ts";
import type { GivenValue } from "./variable-inputs.ts";
import type { InputVariable } from "./variables.ts";

interface Options extends Evaluation {
  readonly warnings: ProblemList;
  /** Whether a variable may be without a value. @default false */
  readonly allowsUnset?: boolean;
  /** Filled here. */
  readonly secrets: Set<string>;
}

/**
 * The value of each variable: the last one that it was given, or its default. One that is wrong or missing is unknown, so
 * that nothing else is said of what uses it.
 *
 * @param options.scope of validations, less the variable itself.
 */
export function evaluateVariables(
  declared: ReadonlyMap<string, InputVariable>,
  given: readonly GivenValue[],
  options: Options,
): Map<string, HclValue> {
  hideSensitive(declared, given, options);
  for (const { name, isSensitive } of declared.values())
    if (isSensitive) options.scope.sensitiveNames?.add(`var.${name}`);
  const values = new Map<string, HclValue>();
  for (const variable of declared.values()) {
    const last = given.findLast(({ name }) => name === variable.name);
    // The others are judged too: they are as wrong when they lose.
    const typed = given
      .filter(({ name }) => name === variable.name)
      .map((one) => [one, typedValue(variable, one, options.problems)] as const);
    const chosen = last === undefined ? variable.defaultValue : typed.find(([one]) => one === last)?.[1];
    if (chosen === undefined && !options.allowsUnset) addUnset(variable, options.problems);
    const value = chosen === undefined || chosen === "wrong" ? unknownValue(variable.type ?? DYNAMIC) : chosen;
    values.set(variable.name, value);
    if (isWhollyKnown(value)) validate(variable, value, options);
  }
  return values;
}

/** Before anything is said of a value: what loses and what is wrong is a secret as well. */
function hideSensitive(
  declared: ReadonlyMap<string, InputVariable>,
  given: readonly GivenValue[],
  options: Options,
): void {
  for (const { name, location, isSensitive, defaultValue } of declared.values()) {
    if (!isSensitive) continue;
    const values = [defaultValue, ...given.filter((one) => one.name === name).map(({ value }) => value)];
    for (const value of values) {
      if (value === undefined || value === "wrong") continue;
      addSecrets(value, { ...options, what: `variable "${name}"`, location });
    }
  }
}

function addUnset({ name, location }: InputVariable, problems: ProblemList): void {
  problems.add(`The variable "${name}" has no value`, { location, hint: `Give it one: -var '${name}=...'` });
}

function typedValue(
  { name, type }: InputVariable,
  { value, location, locate = () => location }: GivenValue,
  problems: ProblemList,
): HclValue | "wrong" {
  if (value === "wrong" || type === undefined) return value;
  try {
    return convert(value, type);
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    problems.add(`The variable "${name}"${error.path.length === 0 ? "" : ":"} ${error.message}`, {
      location: locate(error.path),
      hint: error.hint,
    });
    return "wrong";
  }
}

function validate({ name, validations, location }: InputVariable, value: HclValue, options: Options): void {
  const variables = new Map([["var", objectValue([[name, value]])]]);
  const scope = innerScope(options.scope, variables);
  for (const { condition, errorMessage } of validations) {
    const holds = asBool(condition, { scope, problems: options.problems });
    if (holds !== false) continue;
    options.problems.add(`The value of the variable "${name}" cannot be used: ${errorMessage}`, { location });
  }
}

function asBool(
  condition: InputVariable["validations"][number]["condition"],
  evaluation: Evaluation,
): boolean | undefined {
  const value = tryEvaluate(condition, evaluation);
  if (value === undefined || !isKnown(value)) return undefined;
  try {
    const { content } = convert(value, BOOL);
    if (typeof content === "boolean") return content;
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
  }
  evaluation.problems.add('"condition" of a validation must be true or false', { location: condition.range.start });
  return undefined;
}
