import { countOf } from "../../base/units.ts";
import { toLower, toUpper } from "../hcl2/functions/characters.ts";
import { type TemplateFunction, TemplateFunctionError } from "./template-function.ts";

/** The functions that only change text. */
export const TEXT_FUNCTIONS: readonly (readonly [string, TemplateFunction])[] = [
  [
    "upper",
    {
      parameters: ["text"],
      usage: "user `name` | upper",
      summary: "The text in capitals",
      call: toUpper,
    },
  ],
  [
    "lower",
    {
      parameters: ["text"],
      usage: "user `name` | lower",
      summary: "The text in small letters",
      call: toLower,
    },
  ],
  [
    "split",
    {
      parameters: ["text", "text", "integer"],
      usage: "split `a-b` `-` 0",
      summary: "One of the parts between separators; the first is number 0",
      call: split,
    },
  ],
  [
    "replace",
    {
      parameters: ["text", "text", "integer", "text"],
      usage: "replace `old` `new` 1 `text`",
      summary: "The text with the first so many occurrences replaced; -1 is all",
      call: replace,
    },
  ],
  [
    "replace_all",
    {
      parameters: ["text", "text", "text"],
      usage: "replace_all `old` `new` `text`",
      summary: "The text with every occurrence replaced",
      call: (old: string, replacement: string, text: string) => replace(old, replacement, -1, text),
    },
  ],
  [
    "clean_resource_name",
    {
      parameters: ["text"],
      usage: "user `name` | clean_resource_name",
      summary: "The text with `-` for what the name of an image cannot have",
      call: cleanResourceName,
    },
  ],
];

function split(text: string, separator: string, index: number): string {
  const parts = separator === "" ? [...text] : text.split(separator);
  const part = parts[index];
  if (part !== undefined) return part;
  const count = countOf(parts.length, "part");
  throw new TemplateFunctionError(`"split" cannot give part ${index} of ${count}`, {
    hint: "The first part is number 0",
  });
}

const REPLACED_LENGTH_MAX = 16 * 1024 ** 2;

function replace(old: string, replacement: string, countMax: number, text: string): string {
  const parts = old === "" ? ["", ...text, ""] : text.split(old);
  const replaced = countMax < 0 ? parts.length - 1 : Math.min(countMax, parts.length - 1);
  if (text.length + replaced * replacement.length > REPLACED_LENGTH_MAX) {
    throw new TemplateFunctionError(`The text would become longer than ${REPLACED_LENGTH_MAX} characters`);
  }
  return (
    parts.slice(0, replaced + 1).join(replacement) +
    parts
      .slice(replaced + 1)
      .map((part) => old + part)
      .join("")
  );
}

/** Makes a text fit for an image's name. Packer counts bytes: "é" becomes two dashes. */
function cleanResourceName(text: string): string {
  return Buffer.from(text)
    .toString("latin1")
    .replace(/[^A-Za-z0-9()[\] ./\-'@_]/g, "-");
}
