import { ProblemList } from "../../../base/problems.ts";
import { evaluate } from "../evaluate/evaluate.ts";
import type { EvaluationBudget } from "../evaluate/evaluation-budget.ts";
import { HclError } from "../evaluate/hcl-error.ts";
import { references } from "../evaluate/references.ts";
import { parseHclTemplate } from "../syntax/parse-hcl.ts";
import { fileSource } from "../syntax/source.ts";
import type { SourceRange } from "../syntax/syntax-tree.ts";
import { entriesOf } from "../values/contents.ts";
import { describeType } from "../values/conversion-error.ts";
import { DYNAMIC, type HclValue } from "../values/value.ts";
import { argumentAt, badArgument, partlyKnown, textAt, textParameter } from "./arguments.ts";
import { type FilePlaces, readTextFile } from "./file-functions.ts";
import { type EagerFunction, type HclFunction, HclFunctionError } from "./hcl-function.ts";

/** @param functions those that the file may call, filled in later: this one is among them, and refuses there. */
export function templateFileFunction(
  places: FilePlaces,
  functions: ReadonlyMap<string, HclFunction>,
  budget: EvaluationBudget | undefined,
): EagerFunction {
  const documented = {
    usage: 'templatefile("motd.tpl", { name = "web" })',
    summary:
      "The text of a file with its interpolations and directives evaluated, in which only the given names are known",
    parameters: [textParameter("path"), partlyKnown("vars")],
    returnType: DYNAMIC,
  };
  const refused: EagerFunction = {
    ...documented,
    call() {
      throw new HclFunctionError("a file of templatefile cannot use templatefile itself");
    },
  };
  return {
    ...documented,
    call(args) {
      const name = textAt(args, 0);
      const variables = variablesOf(argumentAt(args, 1));
      const problems = new ProblemList();
      const template = parseHclTemplate(fileSource(name, readTextFile(name, places)), problems);
      if (template === undefined) {
        const [problem] = problems.sorted([]);
        const at = problem?.location === undefined ? "" : ` (${name}, line ${problem.location.line})`;
        throw badArgument(0, `${problem?.message ?? "the file is no template"}${at}`, problem?.hint);
      }
      for (const { path, range } of references(template)) {
        const [root = ""] = path;
        if (!variables.has(root)) throw badArgument(1, `"${root}" is missing, which ${place(name, range)} uses`);
      }
      const inner = new Map([...functions, ["templatefile", refused]]);
      try {
        return evaluate(template, { variables, functions: inner, ...(budget === undefined ? {} : { budget }) });
      } catch (error) {
        if (!(error instanceof HclError) || error.isLimit) throw error;
        throw badArgument(0, `${error.message} (${place(name, error.range)})`, error.hint);
      }
    },
  };
}

function place(name: string, { start }: SourceRange): string {
  return `${name}, line ${start.line}, column ${start.column}`;
}

function variablesOf(value: HclValue): ReadonlyMap<string, HclValue> {
  if (value.type.kind !== "map" && value.type.kind !== "object") {
    throw badArgument(1, `a map of names is needed, not ${describeType(value.type)}`);
  }
  const variables = entriesOf(value);
  const wrong = [...variables.keys()].find((name) => !/^[\p{ID_Start}_][\p{ID_Continue}-]*$/u.test(name));
  if (wrong === undefined) return variables;
  throw badArgument(1, `"${wrong}" is no name`, "A name is of letters, digits, _ and -, and begins with a letter");
}
