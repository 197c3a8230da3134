import type { Conversion } from "../../plan/conversion.ts";
import { stringValue } from "../values/construct.ts";
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
    if (typeof content !== "string") return typeof content === "number" ? content : undefined;
    const number = converted(content, NUMBER);
    return number === undefined ? undefined : numberOf(rationalIn(number));
  },
  toBoolean(content) {
    if (typeof content !== "string") return typeof content === "boolean" ? content : undefined;
    const bool = converted(content, BOOL)?.content;
    return typeof bool === "boolean" ? bool : undefined;
  },
};

/** A text as another type: between numbers and booleans cty converts nothing. */
function converted(text: string, type: HclType): HclValue | undefined {
  try {
    const value = convert(stringValue(text), type);
    return isKnown(value) ? value : undefined;
  } catch (error) {
    if (error instanceof ConversionError || error instanceof ValueLimitError) return undefined;
    throw error;
  }
}
