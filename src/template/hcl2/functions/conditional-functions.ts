import { HclError } from "../evaluate/hcl-error.ts";
import { parseType } from "../evaluate/parse-type.ts";
import { boolValue, unknownValue } from "../values/construct.ts";
import { isWhollyKnown } from "../values/contents.ts";
import { ConversionError } from "../values/conversion-error.ts";
import { convert } from "../values/convert.ts";
import { BOOL, DYNAMIC, type HclValue } from "../values/value.ts";
import { HclFunctionError, type LazyArgument, type LazyFunction } from "./hcl-function.ts";

/** Those that decide themselves what is evaluated. */
export const CONDITIONAL_FUNCTIONS: Readonly<Record<string, LazyFunction>> = {
  can: {
    usage: "can(var.settings.name)",
    summary: "Whether the expression has a value",
    isLazy: true,
    call: (args) => {
      const [only] = args;
      if (only === undefined || args.length > 1)
        throw new HclFunctionError(`one expression is needed, not ${args.length}`);
      const attempt = only.attempt();
      if ("error" in attempt) return boolValue(false);
      // What is not known yet could fail when it is.
      return isWhollyKnown(attempt.value) ? boolValue(true) : unknownValue(BOOL);
    },
  },
  convert: {
    usage: 'convert(["a"], set(string))',
    summary: "The value as one of a type, written as in a variable's `type`",
    isLazy: true,
    call: convertTo,
  },
  try: {
    usage: 'try(var.settings.name, "default")',
    summary: "The value of the first expression that has one",
    isLazy: true,
    call: (args) => {
      const reasons: string[] = [];
      for (const arg of args) {
        const attempt = arg.attempt();
        if ("value" in attempt) return isWhollyKnown(attempt.value) ? attempt.value : unknownValue(DYNAMIC);
        reasons.push(attempt.error.message);
      }
      if (reasons.length === 0) throw new HclFunctionError("at least one expression is needed");
      const list = reasons.map((reason, index) => `${index + 1}. ${reason}`).join("; ");
      throw new HclFunctionError(`no expression has a value: ${list}`, {
        hint: "Let the last one be a value that cannot fail",
      });
    },
  },
};

function convertTo(args: readonly LazyArgument[]): HclValue {
  const [value, type] = args;
  if (value === undefined || type === undefined || args.length > 2) {
    throw new HclFunctionError(`a value and a type are needed, not ${args.length} arguments`);
  }
  if (type.expression === undefined) throw new HclFunctionError("the type must be written out", { argumentIndex: 1 });
  const attempt = value.attempt();
  if ("error" in attempt) throw attempt.error;
  try {
    return convert(attempt.value, parseType(type.expression));
  } catch (error) {
    if (error instanceof ConversionError)
      throw new HclFunctionError(`the value ${error.message}`, { argumentIndex: 0 });
    if (error instanceof HclError) throw new HclFunctionError(error.message, { argumentIndex: 1, ...hintOf(error) });
    throw error;
  }
}

function hintOf({ hint }: HclError): { hint?: string } {
  return hint === undefined ? {} : { hint };
}
