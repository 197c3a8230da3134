import { randomBytes } from "node:crypto";
import { strftime } from "./strftime.ts";
import { type TemplateFunction, TemplateFunctionError } from "./template-function.ts";
import { formatGoTime, RFC3339 } from "./time-layout.ts";

/** What the functions of a run answer from. */
export interface FunctionContext {
  /** When the run started: every `timestamp` and `isotime` of a run is the same. */
  readonly startTime: Date;
  readonly workingDirectory: string;
  /** Missing if the template came from standard input. */
  readonly templateDirectory: string | undefined;
  readonly toolVersion: string;
  /** @throws {TemplateFunctionError} if there is no such variable. */
  readonly userVariable: (name: string) => string;
}

/** The functions that every template string may call. */
export function createFunctions(context: FunctionContext): Map<string, TemplateFunction> {
  return new Map<string, TemplateFunction>([
    ...textFunctions(),
    ["user", { parameters: ["text"], usage: "user `name`", call: context.userVariable }],
    ["timestamp", { parameters: [], call: () => String(Math.floor(context.startTime.getTime() / 1000)) }],
    [
      "isotime",
      {
        parameters: ["text"],
        optionalCount: 1,
        usage: "isotime `2006-01-02`",
        call: (layout = RFC3339) => formatGoTime(context.startTime, layout),
      },
    ],
    [
      "strftime",
      {
        parameters: ["text"],
        usage: "strftime `%Y-%m-%d`",
        call: (format: string) => strftime(context.startTime, format),
      },
    ],
    ["uuid", { parameters: [], call: () => timeOrderedUuid(Date.now()) }],
    ["pwd", { parameters: [], call: () => context.workingDirectory }],
    ["template_dir", { parameters: [], call: () => templateDirectory(context) }],
    ["packer_version", { parameters: [], call: () => context.toolVersion }],
  ]);
}

function textFunctions(): [string, TemplateFunction][] {
  return [
    ["upper", { parameters: ["text"], usage: "user `name` | upper", call: (text: string) => text.toUpperCase() }],
    ["lower", { parameters: ["text"], usage: "user `name` | lower", call: (text: string) => text.toLowerCase() }],
    ["split", { parameters: ["text", "text", "integer"], usage: "split `a-b` `-` 0", call: split }],
    [
      "replace",
      { parameters: ["text", "text", "integer", "text"], usage: "replace `old` `new` 1 `text`", call: replace },
    ],
    [
      "replace_all",
      {
        parameters: ["text", "text", "text"],
        usage: "replace_all `old` `new` `text`",
        call: (old: string, replacement: string, text: string) => replace(old, replacement, -1, text),
      },
    ],
    [
      "clean_resource_name",
      { parameters: ["text"], usage: "user `name` | clean_resource_name", call: cleanResourceName },
    ],
  ];
}

/** Functions of the language and of Packer that amibake does not have, each with why. */
export const ABSENT_FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ["env", 'works only in "variables": declare a variable with it, and use that with "user"'],
  ["build", "works only in the text of provisioners"],
  ["build_name", "works only in builders and provisioners"],
  ["build_type", "works only in builders and provisioners"],
  ["clean_ami_name", 'is now called "clean_resource_name"'],
  ["sed", 'is not there any more: use "replace_all"'],
  ...[
    ...["consul_key", "vault", "aws_secretsmanager", "aws_secretsmanager_raw"],
    ...["and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "len", "index", "slice", "call"],
    ...["print", "printf", "println", "html", "js", "urlquery"],
  ].map((name): [string, string] => [name, "is not supported yet"]),
]);

function templateDirectory({ templateDirectory: directory }: FunctionContext): string {
  if (directory !== undefined) return directory;
  throw new TemplateFunctionError('"template_dir" is not known: the template comes from standard input', 'Use "pwd"');
}

function split(text: string, separator: string, index: number): string {
  const parts = separator === "" ? [...text] : text.split(separator);
  const part = parts[index];
  if (part !== undefined) return part;
  const count = parts.length === 1 ? "1 part" : `${parts.length} parts`;
  throw new TemplateFunctionError(`"split" cannot give part ${index} of ${count}`, "The first part is number 0");
}

function replace(old: string, replacement: string, countMax: number, text: string): string {
  const parts = old === "" ? ["", ...text, ""] : text.split(old);
  const replaced = countMax < 0 ? parts.length - 1 : Math.min(countMax, parts.length - 1);
  return (
    parts.slice(0, replaced + 1).join(replacement) +
    parts
      .slice(replaced + 1)
      .map((part) => old + part)
      .join("")
  );
}

/** Makes a text fit for an image's name. Packer counts bytes: "é" becomes two dashes. */
export function cleanResourceName(text: string): string {
  return Buffer.from(text)
    .toString("latin1")
    .replace(/[^A-Za-z0-9()[\] ./\-'@_]/g, "-");
}

/** A UUID whose first eight digits are the Unix time, so that later ones sort later. */
function timeOrderedUuid(nowMs: number): string {
  const seconds = Math.floor(nowMs / 1000)
    .toString(16)
    .padStart(8, "0")
    .slice(-8);
  const random = randomBytes(12).toString("hex");
  return [seconds, random.slice(0, 4), random.slice(4, 8), random.slice(8, 12), random.slice(12)].join("-");
}
