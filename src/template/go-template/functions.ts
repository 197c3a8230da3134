import { loadCrypto } from "../../base/load-builtin.ts";
import { environmentValue } from "../environment-value.ts";
import { BUILTIN_FUNCTIONS } from "./builtin-functions.ts";
import { strftime } from "./strftime.ts";
import { type TemplateFunction, TemplateFunctionError } from "./template-function.ts";
import { TEXT_FUNCTIONS } from "./text-functions.ts";
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
  const { startTime } = context;
  return new Map<string, TemplateFunction>([
    [
      "user",
      {
        parameters: ["text"],
        usage: "user `name`",
        summary: "The value of a user variable",
        call: context.userVariable,
      },
    ],
    [
      "timestamp",
      {
        parameters: [],
        usage: "timestamp",
        summary: "When the run started, as Unix time; the same everywhere in a run",
        call: () => String(Math.floor(startTime.getTime() / 1000)),
      },
    ],
    [
      "isotime",
      {
        parameters: ["text"],
        optionalCount: 1,
        usage: "isotime `2006-01-02`",
        summary: "When the run started, in UTC, in a layout of Go; without one as in RFC 3339",
        call: (layout = RFC3339) => formatGoTime(startTime, shortEnough(layout)),
      },
    ],
    [
      "strftime",
      {
        parameters: ["text"],
        usage: "strftime `%Y-%m-%d`",
        summary: "When the run started, in UTC, in a format of C",
        call: (format: string) => strftime(startTime, shortEnough(format)),
      },
    ],
    ...TEXT_FUNCTIONS,
    [
      "uuid",
      {
        parameters: [],
        usage: "uuid",
        summary: "A new UUID, a later one sorting later",
        call: () => timeOrderedUuid(Date.now()),
      },
    ],
    ["pwd", { parameters: [], usage: "pwd", summary: "The working directory", call: () => context.workingDirectory }],
    [
      "template_dir",
      {
        parameters: [],
        usage: "template_dir",
        summary: "The directory of the template",
        call: () => templateDirectory(context),
      },
    ],
    [
      "packer_version",
      { parameters: [], usage: "packer_version", summary: "The version of amibake", call: () => context.toolVersion },
    ],
    ...BUILTIN_FUNCTIONS,
  ]);
}

/** What only the values of variables may call. */
export function createVariableFunctions(
  environment: Readonly<Record<string, string | undefined>>,
): Map<string, TemplateFunction> {
  return new Map([
    [
      "env",
      {
        parameters: ["text"],
        usage: "env `HOME`",
        summary: "A variable of the environment, empty if it is not set; only in `variables`",
        call: (name: string) => environmentValue(environment, name),
      },
    ],
  ]);
}

/** What only builders and provisioners may call. */
export function createBuildFunctions(build: { name: string; type: string }): Map<string, TemplateFunction> {
  const [usage, typeUsage] = ["build_name", "build_type"];
  return new Map([
    [usage, { parameters: [], usage, summary: "The name of the build", call: () => build.name }],
    [typeUsage, { parameters: [], usage: typeUsage, summary: "The type of its builder", call: () => build.type }],
  ]);
}

const ONLY_IN_VARIABLES = 'works only in "variables": declare a variable with it, and use that with "user"';

/** Functions of the language and of Packer that amibake does not have, each with why. */
export const ABSENT_FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ["env", ONLY_IN_VARIABLES],
  ["build", "works only in the text of provisioners"],
  ["build_name", "works only in builders and provisioners"],
  ["build_type", "works only in builders and provisioners"],
  ["clean_ami_name", 'is now called "clean_resource_name"'],
  ["sed", 'is not there any more: use "replace_all"'],
  ...["consul_key", "vault", "aws_secretsmanager", "aws_secretsmanager_raw"].map((name): [string, string] => [
    name,
    ONLY_IN_VARIABLES,
  ]),
]);

const LAYOUT_LENGTH_MAX = 1000;

function shortEnough(layout: string): string {
  if (layout.length <= LAYOUT_LENGTH_MAX) return layout;
  throw new TemplateFunctionError(`A layout of time is longer than ${LAYOUT_LENGTH_MAX} characters`);
}

function templateDirectory({ templateDirectory: directory }: FunctionContext): string {
  if (directory !== undefined) return directory;
  throw new TemplateFunctionError('"template_dir" is not known: the template comes from standard input', {
    hint: 'Use "pwd"',
  });
}

/** A UUID whose first eight digits are the Unix time, so that later ones sort later. */
function timeOrderedUuid(nowMs: number): string {
  const seconds = Math.floor(nowMs / 1000)
    .toString(16)
    .padStart(8, "0")
    .slice(-8);
  const random = loadCrypto().randomBytes(12).toString("hex");
  return [seconds, random.slice(0, 4), random.slice(4, 8), random.slice(8, 12), random.slice(12)].join("-");
}
