import type { JsonValue } from "../../../base/json/json-value.ts";
import { parseJson } from "../../../base/json/parse-json.ts";
import { ProblemList } from "../../../base/problems.ts";
import { boolValue, nullValue, numberValue, objectValue, stringValue, tupleValue } from "./construct.ts";
import { numberText } from "./number-text.ts";
import { parseRational } from "./rational.ts";
import { DYNAMIC, type HclValue, UNKNOWN } from "./value.ts";

/** A text that is not JSON. The message says what is wrong with it, and where. */
export class JsonTextError extends Error {
  override readonly name = "JsonTextError";
}

/**
 * JSON without spaces, keys sorted, as `jsonencode` gives it: `<`, `>` and `&` are escaped so that it can stand in HTML.
 *
 * @param value wholly known.
 */
export function toJson(value: HclValue): string {
  const { content } = value;
  if (content === UNKNOWN) throw new TypeError("Cannot write what is not known");
  if (content === null) return "null";
  if (typeof content === "string") return jsonText(content);
  if (typeof content === "boolean") return String(content);
  if ("numerator" in content) return numberText(content);
  if (content instanceof Map) {
    const entries: ReadonlyMap<string, HclValue> = content;
    return `{${[...entries].map(([key, entry]) => `${jsonText(key)}:${toJson(entry)}`).join(",")}}`;
  }
  return `[${(content as readonly HclValue[]).map(toJson).join(",")}]`;
}

/** What Go's encoder escapes: JSON.stringify has short forms of two more, and leaves these letters as they are. */
function jsonText(text: string): string {
  return JSON.stringify(text)
    .replace(/\\(?:b|f|.)/g, (pair) => (pair === "\\b" ? "\\u0008" : pair === "\\f" ? "\\u000c" : pair))
    .replace(/[<>&\u2028\u2029]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/**
 * JSON as a value, of a key that is there twice the last one: lists are tuples and objects objects, numbers are exact.
 *
 * @throws {JsonTextError}
 */
export function fromJson(text: string): HclValue {
  const problems = new ProblemList();
  const json = parseJson("", text, problems, { allowsTwice: true });
  const [problem] = problems.sorted([]);
  if (json !== undefined && problem === undefined) return valueOfJson(json);
  const place =
    problem?.location === undefined ? "" : ` (line ${problem.location.line}, column ${problem.location.column})`;
  throw new JsonTextError(`${problem?.message ?? "This is not JSON"}${place}`);
}

/** JSON that is parsed already, as a value. */
export function valueOfJson(json: JsonValue): HclValue {
  switch (json.kind) {
    case "null":
      return nullValue(DYNAMIC);
    case "string":
      return stringValue(json.value);
    case "boolean":
      return boolValue(json.value);
    case "number":
      return numberValue(parseRational(json.text) ?? json.value);
    case "array":
      return tupleValue(json.items.map(valueOfJson));
    case "object":
      return objectValue(json.members.map(({ key, value }) => [key, valueOfJson(value)]));
  }
}
