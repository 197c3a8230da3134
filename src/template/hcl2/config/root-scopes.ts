import type { ForeignValues } from "../../foreign-values.ts";
import { EvaluationBudget } from "../evaluate/evaluation-budget.ts";
import type { Scope } from "../evaluate/scope.ts";
import { innerScope } from "../evaluate/scope.ts";
import { createDefaultFunctions, createHclFunctions } from "../functions/create-functions.ts";
import { objectValue, stringValue } from "../values/construct.ts";
import type { HclValue } from "../values/value.ts";

export interface RootScopeOptions {
  readonly startTime: Date;
  /** What `env` answers from. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly foreignValues: ForeignValues;
  /** `path.root` */
  readonly directory: string;
  /** `path.cwd` */
  readonly workingDirectory: string;
  /** `packer.version` */
  readonly toolVersion: string;
  /** Whether all data sources there are have been asked. */
  readonly hasData: boolean;
}

/** What the expressions of a template can use, by where they stand. They share what they may cost. */
export interface RootScopes {
  /** Of variable files and of `-var`: nothing. */
  readonly given: Scope;
  /** Of defaults of variables. */
  readonly defaults: Scope;
  /** Of validations of variables, less the variable itself. */
  readonly validations: Scope;
  /** Of all else, less `local` and `data`. */
  readonly withVariables: (values: ReadonlyMap<string, HclValue>) => Scope;
}

export function createRootScopes(options: RootScopeOptions): RootScopes {
  const { directory, workingDirectory, toolVersion, hasData } = options;
  const budget = new EvaluationBudget();
  const empty: Scope = { variables: new Map(), functions: new Map(), budget, sensitiveNames: new Set(), hasData };
  const functions = createHclFunctions({
    ...options,
    budget,
    baseDirectory: directory,
    homeDirectory: options.environment["HOME"],
  });
  const validations = { ...empty, functions };
  const path = objectValue([
    ["root", stringValue(directory)],
    ["cwd", stringValue(workingDirectory)],
  ]);
  const packer = objectValue([["version", stringValue(toolVersion)]]);
  return {
    given: empty,
    defaults: { ...empty, functions: createDefaultFunctions(options.environment) },
    validations,
    withVariables: (values) =>
      innerScope(
        validations,
        new Map([
          ["var", objectValue(values)],
          ["path", path],
          ["packer", packer],
        ]),
      ),
  };
}
