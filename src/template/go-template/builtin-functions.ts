// The functions that Go's text/template has by itself: https://pkg.go.dev/text/template#hdr-Functions
import { type GoValue, sprint, sprintf, sprintln } from "../go-format/format.ts";
import { compareValues, equalsAny } from "./comparison.ts";
import { escapeHtml, escapeJs, escapeQuery } from "./escapes.ts";
import { indexValue, lengthOf, sliceText } from "./indexing.ts";
import { type TemplateFunction, TemplateFunctionError } from "./template-function.ts";
import { isTrue } from "./value.ts";

const COMPARED = { parameters: ["any", "any"] } as const;
const PRINTED = { parameters: [], isVariadic: true } as const;

export const BUILTIN_FUNCTIONS: readonly (readonly [string, TemplateFunction])[] = [
  [
    "and",
    {
      parameters: ["any"],
      isVariadic: true,
      usage: "and (user `a`) (user `b`)",
      summary: "The first argument that is empty, else the last one; what follows it is not evaluated",
      stopsAt: (value) => !isTrue(value),
      call: (...values: GoValue[]) => values.at(-1) ?? null,
    },
  ],
  [
    "or",
    {
      parameters: ["any"],
      isVariadic: true,
      usage: "or (user `name`) `default`",
      summary: "The first argument that is not empty, else the last one; what follows it is not evaluated",
      stopsAt: isTrue,
      call: (...values: GoValue[]) => values.at(-1) ?? null,
    },
  ],
  [
    "not",
    {
      parameters: ["any"],
      usage: "not (user `name`)",
      summary: "Whether the argument is empty: no text, zero, false",
      call: (value: GoValue) => !isTrue(value),
    },
  ],
  [
    "eq",
    {
      ...COMPARED,
      isVariadic: true,
      usage: "eq (user `name`) `a` `b`",
      summary: "Whether the first argument equals one of the others",
      call: (value: GoValue, ...others: GoValue[]) => equalsAny(value, others),
    },
  ],
  [
    "ne",
    {
      ...COMPARED,
      usage: "ne (user `name`) `a`",
      summary: "Whether the arguments differ",
      call: (a: GoValue, b: GoValue) => !equalsAny(a, [b]),
    },
  ],
  ["lt", comparison("lt", "less than the second", (order) => order < 0)],
  ["le", comparison("le", "at most the second", (order) => order <= 0)],
  ["gt", comparison("gt", "greater than the second", (order) => order > 0)],
  ["ge", comparison("ge", "at least the second", (order) => order >= 0)],
  [
    "len",
    {
      parameters: ["any"],
      usage: "len (user `name`)",
      summary: "The length of a text in bytes, or of a map",
      call: lengthOf,
    },
  ],
  [
    "index",
    {
      parameters: ["any"],
      isVariadic: true,
      usage: "index .SourceAMITags `a key`",
      summary: "The entry of a map, empty if there is none, or a byte of a text, as a number",
      call: indexValue,
    },
  ],
  [
    "slice",
    {
      parameters: ["any"],
      isVariadic: true,
      usage: "slice (user `name`) 0 3",
      summary: "The bytes of a text from one place up to another",
      call: sliceText,
    },
  ],
  [
    "print",
    {
      ...PRINTED,
      usage: "print 1 2",
      summary: "The arguments as text",
      call: (...values: GoValue[]) => sprint(values),
    },
  ],
  [
    "println",
    {
      ...PRINTED,
      usage: "println `a` `b`",
      summary: "The arguments as text with blanks between them, and a line end",
      call: (...values: GoValue[]) => sprintln(values),
    },
  ],
  [
    "printf",
    {
      parameters: ["text"],
      isVariadic: true,
      usage: "printf `%05d-%s` 42 (user `name`)",
      summary: "Go's fmt.Sprintf, with its verbs, flags, widths and argument indexes",
      call: formatted,
    },
  ],
  ["html", escapes("html", "escaped for HTML", escapeHtml)],
  ["js", escapes("js", "escaped for JavaScript", escapeJs)],
  ["urlquery", escapes("urlquery", "escaped for the query of a URL", escapeQuery)],
  [
    "call",
    {
      parameters: ["any"],
      isVariadic: true,
      usage: "upper `a`",
      summary: "Nothing: no value of a template is a function. Write its name alone",
      call: () => {
        throw new TemplateFunctionError('"call" wants a value that is a function, and templates have none', {
          hint: "Write the name of the function and its arguments: {{upper `a`}}",
        });
      },
    },
  ],
];

function formatted(format: string, ...values: GoValue[]): string {
  try {
    return sprintf(format, values);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new TemplateFunctionError(error.message);
  }
}

function comparison(name: string, relation: string, isIt: (order: number) => boolean): TemplateFunction {
  return {
    ...COMPARED,
    usage: `${name} 1 2`,
    summary: `Whether the first argument is ${relation}`,
    call: (a: GoValue, b: GoValue) => isIt(compareValues(a, b)),
  };
}

function escapes(name: string, how: string, work: (text: string) => string): TemplateFunction {
  return {
    ...PRINTED,
    usage: `user \`name\` | ${name}`,
    summary: `The arguments as text, ${how}`,
    call: (...values: GoValue[]) => work(sprint(values)),
  };
}
