import { listValue, stringValue, unknownValue } from "../values/construct.ts";
import { isKnown, isWhollyKnown, itemsOf } from "../values/contents.ts";
import { type HclValue, STRING } from "../values/value.ts";
import {
  argumentAt,
  badArgument,
  type HclFunctionGroup,
  partlyKnown,
  STRING_LIST,
  textAt,
  textParameter,
} from "./arguments.ts";
import { HclFunctionError } from "./hcl-function.ts";
import { printf } from "./printf.ts";

const args = { ...partlyKnown("args"), allowsNull: true };

export const FORMAT_FUNCTIONS: HclFunctionGroup = {
  format: {
    usage: 'format("%s-%03d", "web", 7)',
    summary:
      "A text with values in the place of verbs: %s a text, %d a whole number, %f a fraction, %q in quotes, %v any",
    parameters: [textParameter("format")],
    variadic: { ...args, allowsUnknown: false },
    returnType: STRING,
    call: (given) => stringValue(printf(textAt(given, 0), given.slice(1))),
  },
  formatlist: {
    usage: 'formatlist("%s.example.com", ["a", "b"])',
    summary: "A list of texts, one for each element of the lists; what is no list is the same in all",
    parameters: [textParameter("format")],
    variadic: args,
    returnType: STRING_LIST,
    call: formatList,
  },
};

function formatList(given: readonly HclValue[]): HclValue {
  const format = textAt(given, 0);
  const values = given.slice(1);
  const isList = ({ type, content }: HclValue) =>
    (type.kind === "list" || type.kind === "set" || type.kind === "tuple") && content !== null;
  const lists = values.filter(isList);
  if (!lists.every(isKnown) || values.some(({ type, content }) => type.kind === "dynamic" && content !== null)) {
    return unknownValue(STRING_LIST);
  }
  const lengths = values.map((value) => (isList(value) ? itemsOf(value).length : undefined));
  const first = lengths.findIndex((length) => length !== undefined);
  const count = lengths[first] ?? 1;
  const other = lengths.findIndex((length) => length !== undefined && length !== count);
  if (other >= 0) {
    throw badArgument(
      other + 1,
      `the list has ${lengths[other]} elements, but that of value ${first + 1} has ${count}`,
    );
  }
  const rows = Array.from({ length: count }, (_, row) => {
    const cells = values.map((value) => (isList(value) ? argumentAt(itemsOf(value), row) : value));
    if (!cells.every(isWhollyKnown)) return unknownValue(STRING);
    try {
      return stringValue(printf(format, cells));
    } catch (error) {
      if (!(error instanceof HclFunctionError) || values.length === 0) throw error;
      const { argumentIndex, hint } = error;
      throw new HclFunctionError(`${error.message} (element ${row})`, {
        ...(hint === undefined ? {} : { hint }),
        ...(argumentIndex === undefined ? {} : { argumentIndex }),
      });
    }
  });
  return listValue(STRING, rows);
}
