import { nearMiss } from "../../base/suggest.ts";
import type { BuildPlan, TemplatePlan } from "../build-plan.ts";
import {
  ABSENT_FUNCTIONS,
  createBuildFunctions,
  createFunctions,
  createVariableFunctions,
  type FunctionContext,
} from "../go-template/functions.ts";
import type { TemplateFunction } from "../go-template/template-function.ts";
import type { ProblemList } from "../template-error.ts";
import { type NamedBuilder, nameBuilders, readBuilder } from "./builders.ts";
import { type ConformContext, evaluateText } from "./conform.ts";
import { describeJson, type JsonArray } from "./json-value.ts";
import { parseJson } from "./parse-json.ts";
import { readProvisioners } from "./provisioners.ts";
import { readRoot, type TemplateRoot } from "./root.ts";
import { type BuildSelection, selectBuilds } from "./select-builds.ts";
import { SourceFileChecks } from "./source-file-checks.ts";
import { UserVariables } from "./user-variables.ts";
import { setVariables, type VariableInputs } from "./variable-inputs.ts";

export interface JsonTemplateOptions extends VariableInputs, BuildSelection {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly functions: Omit<FunctionContext, "userVariable">;
  readonly problems: ProblemList;
  readonly warnings: ProblemList;
  /** Filled while reading, so that not even a problem tells one. */
  readonly secrets: Set<string>;
}

type Plan = Pick<TemplatePlan, "description" | "builds">;

/**
 * Reads Packer's legacy JSON template.
 *
 * @param file as it is called in problems.
 * @returns a plan that counts only if there are no problems.
 */
export async function readJsonTemplate(file: string, text: string, options: JsonTemplateOptions): Promise<Plan> {
  const { problems, secrets } = options;
  const json = parseJson(file, text, problems);
  const root = json === undefined ? undefined : readRoot(json, problems);
  if (root === undefined) return { description: undefined, builds: [] };

  const variables = await readVariables(root, options);
  const functions = createFunctions({ ...options.functions, userVariable: (name) => variables.valueOf(name) });
  const sourceFiles = new SourceFileChecks();
  const { startTime } = options.functions;
  const builds = readBuilds(root, { ...options, startTime, functions, sourceFiles });
  await sourceFiles.run({ problems, templateDirectory: options.functions.templateDirectory });

  for (const { config } of builds) {
    for (const secret of [config.secret_key, config.token]) if (secret !== undefined) secrets.add(secret);
  }
  const scope = { functions, absentFunctions: ABSENT_FUNCTIONS, known: {} };
  const description = root.description === undefined ? undefined : evaluateText(root.description, { scope, problems });
  return { description, builds };
}

async function readVariables(root: TemplateRoot, options: JsonTemplateOptions): Promise<UserVariables> {
  const { problems, environment } = options;
  const variables = new UserVariables(root.variables, problems);
  await setVariables(variables, options, options);
  // `user` of this section is the variables' own: it may meet one that is not evaluated yet.
  const functions = createFunctions({ ...options.functions, userVariable: () => "" });
  variables.evaluate(new Map([...functions, ...createVariableFunctions(environment)]));
  readSensitive(root.sensitiveVariables, variables, options);
  return variables;
}

function readSensitive(
  sensitive: JsonArray | undefined,
  variables: UserVariables,
  { problems, secrets }: JsonTemplateOptions,
): void {
  for (const item of sensitive?.items ?? []) {
    const { location } = item;
    if (item.kind !== "string") {
      problems.add(`"sensitive-variables" must have names of variables, not ${describeJson(item)}`, { location });
    } else if (variables.names.includes(item.value)) {
      const value = variables.find(item.value) ?? "";
      if (value !== "") secrets.add(value);
    } else {
      const meant = nearMiss(item.value, variables.names);
      const hint = meant === undefined ? undefined : `Did you mean "${meant}"?`;
      problems.add(`"sensitive-variables" names "${item.value}", which is not a variable`, { location, hint });
    }
  }
}

interface BuildsOptions extends Pick<JsonTemplateOptions, "problems" | "warnings" | "only" | "except"> {
  readonly startTime: Date;
  readonly functions: ReadonlyMap<string, TemplateFunction>;
  readonly sourceFiles: SourceFileChecks;
}

function readBuilds(root: TemplateRoot, options: BuildsOptions): BuildPlan[] {
  const { functions, problems } = options;
  if (root.builders === undefined) return [];
  const scope = { functions, absentFunctions: ABSENT_FUNCTIONS, known: {} };
  const builders = nameBuilders(root.builders, { scope, problems });
  const buildNames = builders.map(({ name }) => name);
  return selectBuilds(builders, options, options).flatMap((builder) => {
    const { type } = builder;
    if (type === undefined) return [];
    const buildScope = scopeOf({ ...builder, type }, options);
    const { config } = readBuilder({ ...builder, type }, { ...options, scope: buildScope });
    const provisioners = readProvisioners(root.provisioners, {
      ...options,
      buildName: builder.name,
      buildNames,
      scope: { ...buildScope, known: {} },
    });
    if (config === undefined) return [];
    return [{ name: builder.name, type, config, location: builder.object.location, provisioners }];
  });
}

/** What the strings of one builder and its provisioners may use. */
function scopeOf(
  { name, type }: NamedBuilder & { type: string },
  { functions, startTime }: BuildsOptions,
): ConformContext["scope"] {
  return {
    functions: new Map([...functions, ...createBuildFunctions({ name, type })]),
    absentFunctions: ABSENT_FUNCTIONS,
    // The old name of {{timestamp}}: when the plan is made, the image's name must be known.
    known: { CreateTime: String(Math.floor(startTime.getTime() / 1000)) },
  };
}
