// Go's fmt: https://pkg.go.dev/fmt

import { formatValue, goTypeName } from "./format-value.ts";
import { DirectiveReader, noFlags } from "./printf-directive.ts";

/** A value of Go's: a `bigint` is an int, a `number` a float64, `null` nil. */
export type GoValue = string | bigint | number | boolean | null | ReadonlyMap<string, string>;

// Widths make long texts of short formats.
const RESULT_LENGTH_MAX = 16 * 1024 ** 2;

/**
 * As `fmt.Sprintf`: what is wrong with the format stands in the result.
 *
 * @throws {RangeError} if it would be of no use for its length.
 */
export function sprintf(format: string, values: readonly GoValue[]): string {
  const reader = new DirectiveReader(format, values);
  let result = "";
  for (;;) {
    result += reader.text();
    if (reader.isAtEnd) break;
    if (result.length > RESULT_LENGTH_MAX) {
      throw new RangeError(`The text would become longer than ${RESULT_LENGTH_MAX} characters`);
    }
    const { verb, flags, argument, complaints } = reader.directive();
    result += complaints;
    if (verb === "") result += "%!(NOVERB)";
    else if (verb === "%") result += "%";
    else if (argument === "bad index") result += `%!${verb}(BADINDEX)`;
    else if (argument === "missing") result += `%!${verb}(MISSING)`;
    else result += formatValue(values[argument] ?? null, verb, flags);
  }
  return result + (reader.isReordered ? "" : extra(values.slice(reader.argumentCount)));
}

function extra(values: readonly GoValue[]): string {
  if (values.length === 0) return "";
  const texts = values.map((value) =>
    value === null ? "<nil>" : `${goTypeName(value)}=${formatValue(value, "v", noFlags())}`,
  );
  return `%!(EXTRA ${texts.join(", ")})`;
}

/** As `fmt.Sprint`: a blank stands between two values of which neither is a string. */
export function sprint(values: readonly GoValue[]): string {
  return values
    .map((value, index) => {
      const isParted = index > 0 && typeof value !== "string" && typeof values[index - 1] !== "string";
      return (isParted ? " " : "") + formatValue(value, "v", noFlags());
    })
    .join("");
}

/** As `fmt.Sprintln`: a blank between all values, and a line end. */
export function sprintln(values: readonly GoValue[]): string {
  return `${values.map((value) => formatValue(value, "v", noFlags())).join(" ")}\n`;
}
