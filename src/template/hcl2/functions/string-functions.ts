import { compareText } from "../values/compare.ts";
import { boolValue, listValue, stringValue } from "../values/construct.ts";
import { itemsOf, textOf } from "../values/contents.ts";
import { BOOL, type HclValue, STRING } from "../values/value.ts";
import {
  argumentAt,
  badArgument,
  checkLength,
  countAt,
  type HclFunctionGroup,
  numberParameter,
  STRING_LIST,
  textAt,
  textFunction,
  textParameter,
} from "./arguments.ts";
import { charactersOf, toLower, toTitle, toUpper } from "./characters.ts";
import { type EagerFunction, HclFunctionError } from "./hcl-function.ts";

const str = { parameters: ["str"] };

export const STRING_FUNCTIONS: HclFunctionGroup = {
  chomp: textFunction(
    { usage: 'chomp("text\\n")', summary: "The text without the newlines at its end", ...str },
    (text) => text.replace(/[\r\n]+$/, ""),
  ),
  indent: {
    usage: 'indent(2, "a\\nb")',
    summary: "The text with so many spaces before every line but the first",
    parameters: [numberParameter("spaces"), textParameter("str")],
    returnType: STRING,
    call: indent,
  },
  join: {
    usage: 'join(", ", ["a", "b"])',
    summary: "The texts of the lists, with the separator between them",
    parameters: [textParameter("separator")],
    variadic: { name: "lists", type: STRING_LIST },
    returnType: STRING,
    call: join,
  },
  lower: textFunction({ usage: 'lower("Text")', summary: "The text in small letters", ...str }, toLower),
  replace: textFunction(
    {
      usage: 'replace("1 + 2", "+", "-")',
      summary: "The text with every occurrence of the second replaced by the third",
      parameters: ["str", "substr", "replace"],
    },
    replace,
  ),
  sort: {
    usage: 'sort(["b", "a"])',
    summary: "The texts in the order of their characters",
    parameters: [{ name: "list", type: STRING_LIST }],
    returnType: STRING_LIST,
    call: sort,
  },
  split: {
    usage: 'split(",", "a,b")',
    summary: "The parts of the text between the separators",
    parameters: [textParameter("separator"), textParameter("str")],
    returnType: STRING_LIST,
    call: (args) => listValue(STRING, parts(textAt(args, 0), textAt(args, 1)).map(stringValue)),
  },
  strcontains: comparison('strcontains("hello", "ell")', "Whether the second text is in the first", (text, part) =>
    text.includes(part),
  ),
  startswith: comparison('startswith("hello", "he")', "Whether the text begins with the second", (text, part) =>
    text.startsWith(part),
  ),
  endswith: comparison('endswith("hello", "lo")', "Whether the text ends with the second", (text, part) =>
    text.endsWith(part),
  ),
  strrev: textFunction({ usage: 'strrev("abc")', summary: "The characters in reverse order", ...str }, (text) =>
    charactersOf(text).toReversed().join(""),
  ),
  substr: {
    usage: 'substr("hello", 1, 3)',
    summary:
      "Characters from an offset on, which is counted from the end if it is negative; with a length of -1, all of them",
    parameters: [textParameter("str"), numberParameter("offset"), numberParameter("length")],
    returnType: STRING,
    call: substr,
  },
  title: textFunction(
    { usage: 'title("hello world")', summary: "The text with every word in a capital", ...str },
    toTitle,
  ),
  trim: textFunction(
    {
      usage: 'trim("?!hi?!", "!?")',
      summary: "The text without those characters at its ends",
      parameters: ["str", "cutset"],
    },
    trim,
  ),
  trimprefix: textFunction(
    {
      usage: 'trimprefix("hello", "he")',
      summary: "The text without the second at its begin",
      parameters: ["str", "prefix"],
    },
    (text, prefix = "") => (text.startsWith(prefix) ? text.slice(prefix.length) : text),
  ),
  trimspace: textFunction(
    { usage: 'trimspace(" hi ")', summary: "The text without white space at its ends", ...str },
    (text) => text.replace(/^\p{White_Space}+|\p{White_Space}+$/gu, ""),
  ),
  trimsuffix: textFunction(
    {
      usage: 'trimsuffix("hello", "lo")',
      summary: "The text without the second at its end",
      parameters: ["str", "suffix"],
    },
    (text, suffix = "") => (text.endsWith(suffix) ? text.slice(0, text.length - suffix.length) : text),
  ),
  upper: textFunction({ usage: 'upper("Text")', summary: "The text in capitals", ...str }, toUpper),
};

function comparison(usage: string, summary: string, holds: (text: string, part: string) => boolean): EagerFunction {
  return {
    usage,
    summary,
    parameters: [textParameter("str"), textParameter("part")],
    returnType: BOOL,
    call: (args) => boolValue(holds(textAt(args, 0), textAt(args, 1))),
  };
}

function indent(args: readonly HclValue[]): HclValue {
  const spaces = countAt(args, 0);
  if (spaces < 0) throw badArgument(0, `the text cannot be indented by ${spaces} spaces`);
  const lines = textAt(args, 1).split("\n");
  checkLength((lines.length - 1) * spaces);
  return stringValue(lines.join(`\n${lines.length > 1 ? " ".repeat(spaces) : ""}`));
}

function join(args: readonly HclValue[]): HclValue {
  const [separator, ...lists] = args;
  if (separator === undefined || lists.length === 0) throw new HclFunctionError("at least one list is needed");
  const texts = lists.flatMap((list, listIndex) =>
    itemsOf(list).map((item, index) => {
      if (item.content === null) throw badArgument(listIndex + 1, `element ${index} is null, and cannot be joined`);
      return textOf(item);
    }),
  );
  checkLength(textOf(separator).length * texts.length);
  return stringValue(texts.join(textOf(separator)));
}

function replace(text: string, old = "", replacement = ""): string {
  // Nothing is found before every character and behind the last one.
  const pieces = old === "" ? ["", ...text, ""] : text.split(old);
  checkLength(text.length + pieces.length * replacement.length);
  return pieces.join(replacement);
}

function sort(args: readonly HclValue[]): HclValue {
  const items = itemsOf(argumentAt(args, 0));
  const nullIndex = items.findIndex(({ content }) => content === null);
  if (nullIndex >= 0) throw badArgument(0, `element ${nullIndex} is null, and cannot be sorted`);
  return listValue(
    STRING,
    items.toSorted((a, b) => compareText(textOf(a), textOf(b))),
  );
}

function parts(separator: string, text: string): readonly string[] {
  return separator === "" ? [...text] : text.split(separator);
}

function substr(args: readonly HclValue[]): HclValue {
  const characters = charactersOf(textAt(args, 0));
  const [offset, length] = [countAt(args, 1), countAt(args, 2)];
  // A negative offset with no length gives all of the rest: so does cty.
  if (offset >= 0 && length === 0) return stringValue("");
  const start = offset < 0 ? Math.max(offset + characters.length, 0) : offset;
  const end = length <= 0 ? undefined : start + length;
  return stringValue(characters.slice(start, end).join(""));
}

function trim(text: string, cutset = ""): string {
  const cut = new Set(cutset);
  const characters = [...text];
  const isKept = (character: string) => !cut.has(character);
  const first = characters.findIndex(isKept);
  return first < 0 ? "" : characters.slice(first, characters.findLastIndex(isKept) + 1).join("");
}
