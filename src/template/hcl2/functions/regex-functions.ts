import { type Groups, Re2 } from "../../re2/regex.ts";
import { RegexError } from "../../re2/regex-syntax.ts";
import { listValue, nullValue, objectValue, stringValue, tupleValue } from "../values/construct.ts";
import { DYNAMIC, type HclType, type HclValue, STRING } from "../values/value.ts";
import { badArgument, blame, checkLength, type HclFunctionGroup, textAt, textParameter } from "./arguments.ts";
import { HclFunctionError } from "./hcl-function.ts";

const pattern = textParameter("pattern");
const string = textParameter("string");

export const REGEX_FUNCTIONS: HclFunctionGroup = {
  regex: {
    usage: 'regex("[a-z]+", "53453453.345345aaabbbccc23454")',
    summary: "The first match of an RE2 expression: a text, or a list or object of what its groups have matched",
    parameters: [pattern, string],
    returnType: DYNAMIC,
    call: (args) => {
      const expression = expressionOf(textAt(args, 0), 0);
      const groups = blame(RegexError, 0, () => expression.find(textAt(args, 1)));
      if (groups === undefined) {
        throw new HclFunctionError("the pattern does not match any part of the text", {
          hint: "With try(regex(…), default) there is a value anyway",
        });
      }
      return shape(expression).value(groups);
    },
  },
  regexall: {
    usage: 'regexall("[a-z]+", "1234abcd5678efgh9")',
    summary: "A list of all matches of an RE2 expression; its length tells whether there is any",
    parameters: [pattern, string],
    returnType: { kind: "list", element: DYNAMIC },
    call: (args) => {
      const expression = expressionOf(textAt(args, 0), 0);
      const { type, value } = shape(expression);
      return listValue(type, blame(RegexError, 0, () => expression.findAll(textAt(args, 1))).map(value));
    },
  },
  regex_replace: {
    usage: 'regex_replace(timestamp(), "[- TZ:]", "")',
    summary: "The text with every match of an RE2 expression replaced; $1 or $name stands for what a group has matched",
    parameters: [string, pattern, textParameter("replace")],
    returnType: STRING,
    call: (args) => {
      const expression = expressionOf(textAt(args, 1), 1);
      const [text, replacement] = [textAt(args, 0), textAt(args, 2)];
      // Nothing can match more often than there are places in the text.
      if (replacement.length > 1000) checkLength((text.length + 1) * replacement.length);
      return stringValue(blame(RegexError, 1, () => expression.replaceAll(text, replacement)));
    },
  },
};

// A pattern in a `for` is read once.
const KEPT_MAX = 50;
const kept = new Map<string, Re2>();

function expressionOf(source: string, argumentIndex: number): Re2 {
  let expression = kept.get(source);
  if (expression === undefined) {
    try {
      expression = new Re2(source);
    } catch (error) {
      if (!(error instanceof RegexError)) throw error;
      const isPerl = /Perl syntax|invalid escape sequence: `\\\d/.test(error.message);
      const hint = isPerl ? "RE2 has neither lookaround nor references to groups" : undefined;
      throw badArgument(argumentIndex, `invalid regular expression: ${error.message}`, hint);
    }
    if (kept.size >= KEPT_MAX) kept.clear();
    kept.set(source, expression);
  }
  return expression;
}

/** What a match is as a value, which depends on the groups of the expression. */
function shape({ groupNames }: Re2): { type: HclType; value: (groups: Groups) => HclValue } {
  if (groupNames.length === 0) return { type: STRING, value: ([match = ""]) => stringValue(match) };
  const names = groupNames.flatMap((name) => (name === undefined ? [] : [name]));
  if (names.length === 0) {
    return {
      type: { kind: "tuple", elements: groupNames.map(() => STRING) },
      value: ([, ...groups]) => tupleValue(groups.map(groupValue)),
    };
  }
  if (names.length < groupNames.length) {
    throw badArgument(0, "some groups have names and others have none", "Make the others (?:…), or name all");
  }
  return {
    type: { kind: "object", attributes: new Map(names.map((name) => [name, STRING])) },
    value: ([, ...groups]) => objectValue(names.map((name, index) => [name, groupValue(groups[index])])),
  };
}

function groupValue(group: string | undefined): HclValue {
  return group === undefined ? nullValue(STRING) : stringValue(group);
}
