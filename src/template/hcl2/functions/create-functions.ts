import { environmentValue } from "../../environment-value.ts";
import type { ForeignValues } from "../../foreign-values.ts";
import type { EvaluationBudget } from "../evaluate/evaluation-budget.ts";
import { stringValue } from "../values/construct.ts";
import { STRING } from "../values/value.ts";
import { textAt, textParameter } from "./arguments.ts";
import { CONDITIONAL_FUNCTIONS } from "./conditional-functions.ts";
import { CRYPTO_FUNCTIONS } from "./crypto-functions.ts";
import { dateFunctions } from "./date-functions.ts";
import { ENCODING_FUNCTIONS } from "./encoding-functions.ts";
import { type FilePlaces, fileFunctions } from "./file-functions.ts";
import { foreignFunctions } from "./foreign-functions.ts";
import { FORMAT_FUNCTIONS } from "./format-functions.ts";
import type { EagerFunction, HclFunction } from "./hcl-function.ts";
import { LIST_FUNCTIONS } from "./list-functions.ts";
import { MAP_FUNCTIONS } from "./map-functions.ts";
import { NETWORK_FUNCTIONS } from "./network-functions.ts";
import { NUMBER_FUNCTIONS } from "./number-functions.ts";
import { REGEX_FUNCTIONS } from "./regex-functions.ts";
import { SET_FUNCTIONS } from "./set-functions.ts";
import { STRING_FUNCTIONS } from "./string-functions.ts";
import { templateFileFunction } from "./template-file.ts";

/** What the functions of a run answer from. */
export interface HclFunctionContext extends FilePlaces {
  /** When the run started: `timestamp()` is the same everywhere in it. */
  readonly startTime: Date;
  readonly foreignValues: ForeignValues;
  /** Of the whole template: files that `templatefile` evaluates spend from it, too. */
  readonly budget?: EvaluationBudget;
}

/** A heading of the reference page, and its functions. */
export interface HclFunctionChapter {
  readonly title: string;
  readonly functions: Readonly<Record<string, HclFunction>>;
}

export function hclFunctionChapters(context: HclFunctionContext): readonly HclFunctionChapter[] {
  const all = new Map<string, HclFunction>();
  const templatefile = templateFileFunction(context, all, context.budget);
  const chapters: readonly HclFunctionChapter[] = [
    { title: "Texts", functions: { ...STRING_FUNCTIONS, ...FORMAT_FUNCTIONS, ...REGEX_FUNCTIONS } },
    { title: "Numbers", functions: NUMBER_FUNCTIONS },
    { title: "Lists, maps and sets", functions: { ...LIST_FUNCTIONS, ...MAP_FUNCTIONS, ...SET_FUNCTIONS } },
    { title: "Conditions and types", functions: CONDITIONAL_FUNCTIONS },
    { title: "Times", functions: dateFunctions(context.startTime) },
    { title: "Files", functions: { ...fileFunctions(context), templatefile } },
    { title: "Encodings", functions: ENCODING_FUNCTIONS },
    { title: "Hashes and identifiers", functions: CRYPTO_FUNCTIONS },
    { title: "Networks", functions: NETWORK_FUNCTIONS },
    { title: "Values of other services", functions: foreignFunctions(context.foreignValues) },
  ];
  for (const { functions } of chapters) {
    for (const [name, called] of Object.entries(functions)) all.set(name, called);
  }
  return chapters;
}

/** The functions that every expression may call but the defaults of variables. */
export function createHclFunctions(context: HclFunctionContext): ReadonlyMap<string, HclFunction> {
  return new Map(hclFunctionChapters(context).flatMap(({ functions }) => Object.entries(functions)));
}

/** The only function in the default of a variable, and nowhere else there. */
export function createDefaultFunctions(
  environment: Readonly<Record<string, string | undefined>>,
): ReadonlyMap<string, HclFunction> {
  const env: EagerFunction = {
    usage: 'env("HOME")',
    summary: "A variable of the environment, empty if it is not set; only in the default of a variable",
    parameters: [textParameter("key")],
    returnType: STRING,
    call: (args) => stringValue(environmentValue(environment, textAt(args, 0))),
  };
  return new Map([["env", env]]);
}
