import type { Conversion } from "../../plan/conversion.ts";
import { boolValue, numberValue, stringValue } from "../values/construct.ts";
import { isKnown, rationalIn } from "../values/contents.ts";
import { ConversionError } from "../values/conversion-error.ts";
import { convert } from "../values/convert.ts";
import { numberOf } from "../values/number-text.ts";
import { BOOL, type HclType, type HclValue, NUMBER } from "../values/value.ts";
import { ValueLimitError } from "../values/value-size.ts";

/** As HCL converts what an attribute is: strictly, and before anything is evaluated in texts. */
export const CTY: Conversion = {
  isWeak: false,
  toText: (value) => (value.kind === "number" ? value.text : String(value.value)),
  toNumber(content) {
    if (typeof content === "number") return content;
    const number = converted(content, NUMBER);
    return number === undefined ? undefined : numberOf(rationalIn(number));
  },
  toBoolean(content) {
    const bool = converted(content, BOOL)?.content;
    return typeof bool === "boolean" ? bool : undefined;
  },
};

function converted(content: string | number | boolean, type: HclType): HclValue | undefined {
  try {
    const value = convert(hclValue(content), type);
    return isKnown(value) ? value : undefined;
  } catch (error) {
    if (error instanceof ConversionError || error instanceof ValueLimitError) return undefined;
    throw error;
  }
}

function hclValue(content: string | number | boolean): HclValue {
  if (typeof content === "string") return stringValue(content);
  return typeof content === "number" ? numberValue(content) : boolValue(content);
}
