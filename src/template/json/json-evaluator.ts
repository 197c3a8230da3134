import { dirname, resolve } from "node:path";
import type { JsonString } from "../../base/json/json-value.ts";
import { ProblemList } from "../../base/problems.ts";
import { SourceMap } from "../../base/source-location.ts";
import { addSecret, watchSecrets, withDerivedSecrets } from "../go-template/derived-secrets.ts";
import { ABSENT_FUNCTIONS, createFunctions, createVariableFunctions } from "../go-template/functions.ts";
import { TextBudget, withBudget } from "../go-template/text-budget.ts";
import { evaluateText } from "../plan/conform.ts";
import type { ReadTemplateOptions } from "../read-template.ts";
import type { TemplateConsole } from "../template-evaluator.ts";
import { parseRoot, sensitiveNamesOf } from "./root.ts";
import { UserVariables } from "./user-variables.ts";
import { setVariables } from "./variable-inputs.ts";

export interface JsonConsoleOptions extends ReadTemplateOptions {
  readonly path: string | undefined;
  readonly problems: ProblemList;
  /** Filled while reading, so that not even a problem tells one. */
  readonly secrets: Set<string>;
}

/**
 * A console for the texts of JSON templates.
 *
 * @param text of the template, if there is one. Of it only the variables matter.
 */
export async function openJsonConsole(
  file: string,
  text: string | undefined,
  options: JsonConsoleOptions,
): Promise<TemplateConsole> {
  const { problems, secrets, path, workingDirectory = process.cwd() } = options;
  const root = text === undefined ? undefined : parseRoot(file, text, problems);
  const sensitive = sensitiveNamesOf(root);
  const variables = new UserVariables(root?.variables, problems, { mayLackValues: true, sensitiveNames: sensitive });
  const functions = createFunctions({
    startTime: options.startTime,
    toolVersion: options.toolVersion ?? "",
    workingDirectory,
    templateDirectory: path === undefined || path === "-" ? undefined : dirname(resolve(workingDirectory, path)),
    userVariable: (name) => variables.valueOf(name),
  });
  const inputs = { ...options, warnOnUndeclaredVariables: false };
  await setVariables(variables, inputs, { problems, warnings: new ProblemList() });
  const budget = new TextBudget();
  variables.evaluate(withBudget(new Map([...functions, ...createVariableFunctions(options.environment)]), budget));
  for (const name of sensitive) {
    addSecret(secrets, variables.find(name) ?? variables.sourceOf(name) ?? "");
  }
  const watch = watchSecrets(secrets);
  return {
    language: "json",
    // More come of what is evaluated.
    get secrets() {
      return [...secrets];
    },
    evaluate(name, typed, found) {
      const scope = {
        functions: withDerivedSecrets(withBudget(functions, new TextBudget()), watch),
        secrets: watch,
        absentFunctions: ABSENT_FUNCTIONS,
        known: {},
        // As Packer's console does.
        evaluatesResults: true,
      };
      return evaluateText(typedText(name, typed), { scope, problems: found });
    },
    variables: () =>
      [...variables.names]
        .sort()
        .map((name) => variableLine(name, variables, sensitive))
        .join("\n"),
  };
}

function typedText(file: string, value: string): JsonString {
  const map = new SourceMap(file, value);
  return { kind: "string", value, location: map.locate(0), locate: (offset) => map.locate(offset) };
}

// Packer's form.
function variableLine(name: string, variables: UserVariables, sensitive: ReadonlySet<string>): string {
  const value = variables.find(name);
  if (value === undefined) return `${name}: <unset>,`;
  return `${name}: ${sensitive.has(name) ? "<sensitive>" : value},`;
}
