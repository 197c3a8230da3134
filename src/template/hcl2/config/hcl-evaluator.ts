import type { ProblemList } from "../../../base/problems.ts";
import { NO_FOREIGN_VALUES } from "../../foreign-values.ts";
import type { TemplateConsole } from "../../template-evaluator.ts";
import type { Scope } from "../evaluate/scope.ts";
import { parseHclExpression } from "../syntax/parse-hcl.ts";
import { printValue } from "../values/print-value.ts";
import { describeValues, layoutValues } from "./describe-values.ts";
import { tryEvaluate } from "./evaluation.ts";
import { type OpenHclOptions, openHclTemplate } from "./open-hcl-template.ts";
import { createRootScopes } from "./root-scopes.ts";

/**
 * A console for HCL2's expressions.
 *
 * @param path of the template; without one, there are functions only.
 * @returns `undefined` if the template cannot be read.
 */
export async function openHclConsole(
  path: string | undefined,
  options: OpenHclOptions,
): Promise<TemplateConsole | undefined> {
  if (path === undefined) return consoleOf(emptyScope(options), layoutValues([], []), options);
  const template = await openHclTemplate(path, { ...options, allowsUnset: true });
  if (template === undefined) return undefined;
  const values = [
    describeValues(template.variables, template.variableValues),
    describeValues(template.locals, template.localValues),
  ] as const;
  return consoleOf(template.scope, layoutValues(...values), options);
}

function consoleOf(scope: Scope, variables: string, { secrets }: OpenHclOptions): TemplateConsole {
  return {
    language: "hcl2",
    secrets: [...secrets],
    evaluate(file: string, text: string, problems: ProblemList) {
      const expression = parseHclExpression(file, text, problems);
      const value = expression === undefined ? undefined : tryEvaluate(expression, { scope, problems });
      return value === undefined ? undefined : printValue(value);
    },
    variables: () => variables,
  };
}

function emptyScope(options: OpenHclOptions): Scope {
  const { workingDirectory, foreignValues = NO_FOREIGN_VALUES } = options;
  return createRootScopes({ hasData: false, ...options, foreignValues, directory: workingDirectory }).withVariables(
    new Map(),
  );
}
