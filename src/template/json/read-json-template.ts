import { describeJson, type JsonArray } from "../../base/json/json-value.ts";
import type { ProblemList } from "../../base/problems.ts";
import { SECRET_LENGTH_MIN } from "../../base/secrets.ts";
import { nearMiss } from "../../base/suggest.ts";
import type { BuildPlan, TemplatePlan } from "../build-plan.ts";
import { type ForeignValues, NO_FOREIGN_VALUES } from "../foreign-values.ts";
import { addSecret, type SecretWatch, watchSecrets, withDerivedSecrets } from "../go-template/derived-secrets.ts";
import { createForeignFunctions } from "../go-template/foreign-functions.ts";
import {
  ABSENT_FUNCTIONS,
  createFunctions,
  createVariableFunctions,
  type FunctionContext,
} from "../go-template/functions.ts";
import type { TemplateFunction } from "../go-template/template-function.ts";
import { TextBudget, withBudget } from "../go-template/text-budget.ts";
import { addAccessSecrets } from "../plan/access-secrets.ts";
import { buildScope } from "../plan/build-scope.ts";
import { knownBuilder, nameBuilders, readBuilder } from "../plan/builders.ts";
import { readType } from "../plan/component-type.ts";
import { evaluateText } from "../plan/conform.ts";
import { namePostProcessors, readPostProcessors } from "../plan/post-processors.ts";
import { readProvisioner, readProvisioners } from "../plan/provisioners.ts";
import { type BuildSelection, selectBuilds } from "../plan/select-builds.ts";
import { SourceFileChecks } from "../plan/source-file-checks.ts";
import { LEGACY_JSON } from "../plan/template-language.ts";
import { objectsOf, parseRoot, sensitiveNamesOf, type TemplateRoot } from "./root.ts";
import { UserVariables } from "./user-variables.ts";
import { setVariables, type VariableInputs } from "./variable-inputs.ts";

export interface JsonTemplateOptions extends VariableInputs, BuildSelection {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What `vault`, `consul_key` and `aws_secretsmanager` answer from. Missing: they are refused. */
  readonly foreignValues?: ForeignValues | undefined;
  readonly functions: Omit<FunctionContext, "userVariable">;
  readonly problems: ProblemList;
  readonly warnings: ProblemList;
  /** Told that `only` and `except` leave no build. */
  readonly nothingToBuild: ProblemList;
  /** Filled while reading, so that not even a problem tells one. */
  readonly secrets: Set<string>;
}

// Each build has the provisioners and post-processors read for itself.
const COMPONENT_READS_MAX = 50_000;

type Plan = Pick<TemplatePlan, "description" | "builds">;

/** Reads a template, and looks at nothing but which sections there are, and that what is in them has a type. */
export function checkJsonSyntax(file: string, text: string, problems: ProblemList): void {
  const root = parseRoot(file, text, problems);
  if (root === undefined) return;
  objectsOf(root.builders, "builder", problems);
  objectsOf(root.provisioners, "provisioner", problems);
  for (const one of (root.postProcessors?.items ?? []).flatMap((item) =>
    item.kind === "array" ? item.items : [item],
  )) {
    if (one.kind === "object") readType(one, "post-processor", problems);
  }
}

/**
 * Reads Packer's legacy JSON template.
 *
 * @param file as it is called in problems.
 * @returns a plan that counts only if there are no problems.
 */
export async function readJsonTemplate(file: string, text: string, options: JsonTemplateOptions): Promise<Plan> {
  const { problems, secrets } = options;
  const root = parseRoot(file, text, problems);
  if (root === undefined) return { description: undefined, builds: [] };

  const budget = new TextBudget();
  const sensitiveNames = sensitiveNamesOf(root);
  const variables = new UserVariables(root.variables, problems, { sensitiveNames });
  const userVariable = (name: string) => {
    const value = variables.valueOf(name);
    // Before all variables are evaluated: what another one makes of it is a secret, too.
    if (sensitiveNames.has(name)) addSecret(secrets, value);
    return value;
  };
  const ownFunctions = createFunctions({ ...options.functions, userVariable });
  const watch = watchSecrets(secrets);
  const functions = withDerivedSecrets(withBudget(ownFunctions, budget), watch);
  const foreignFunctions = createForeignFunctions(options.foreignValues ?? NO_FOREIGN_VALUES, secrets);
  const variableFunctions = withBudget(
    new Map([...createVariableFunctions(options.environment), ...foreignFunctions]),
    budget,
  );
  await setVariables(variables, options, options);
  try {
    variables.evaluate(new Map([...functions, ...variableFunctions]), budget);
  } finally {
    // Also if that was given up for too many problems: they must not tell a secret.
    readSensitive(root.sensitiveVariables, variables, options);
  }
  const sourceFiles = new SourceFileChecks();
  const { startTime } = options.functions;
  const builds = readBuilds(root, { ...options, startTime, functions, budget, secrets: watch, sourceFiles });
  sourceFiles.run({ problems, templateDirectory: options.functions.templateDirectory, language: LEGACY_JSON });

  addAccessSecrets(builds, secrets);
  const scope = { functions, absentFunctions: ABSENT_FUNCTIONS, budget, known: {} };
  const description = root.description === undefined ? undefined : evaluateText(root.description, { scope, problems });
  return { description, builds };
}

function readSensitive(
  sensitive: JsonArray | undefined,
  variables: UserVariables,
  { problems, warnings, secrets }: JsonTemplateOptions,
): void {
  for (const item of sensitive?.items ?? []) {
    const { location } = item;
    if (item.kind !== "string") {
      problems.add(`"sensitive-variables" must have names of variables, not ${describeJson(item)}`, { location });
    } else if (variables.has(item.value)) {
      // What cannot be evaluated is shown by the problem that says so.
      const value = variables.find(item.value) ?? variables.sourceOf(item.value) ?? "";
      addSecret(secrets, value);
      if (value !== "" && value.length < SECRET_LENGTH_MIN) {
        const message = `The sensitive variable "${item.value}" is not hidden in output: its value has fewer than ${SECRET_LENGTH_MIN} characters`;
        warnings.add(message, { location });
      }
    } else {
      const meant = nearMiss(item.value, variables.names);
      const hint = meant === undefined ? undefined : `Did you mean "${meant}"?`;
      // Packer says nothing. It may be a typing error, and then a secret is shown.
      warnings.add(`"sensitive-variables" names "${item.value}", which is not a variable`, { location, hint });
    }
  }
}

interface BuildsOptions
  extends Pick<JsonTemplateOptions, "problems" | "warnings" | "nothingToBuild" | "only" | "except"> {
  readonly startTime: Date;
  readonly functions: ReadonlyMap<string, TemplateFunction>;
  readonly budget: TextBudget;
  readonly secrets: SecretWatch;
  readonly sourceFiles: SourceFileChecks;
}

function readBuilds(root: TemplateRoot, options: BuildsOptions): BuildPlan[] {
  const { functions, problems } = options;
  if (root.builders === undefined) return [];
  const { budget, secrets } = options;
  const scope = { functions, absentFunctions: ABSENT_FUNCTIONS, budget, secrets, known: {} };
  const builders = nameBuilders(root.builders, { scope, problems });
  const buildNames = builders.map(({ name }) => name);
  const sequences = namePostProcessors(root.postProcessors, { scope, problems });
  for (const [what, count, section] of [
    ["provisioners", root.provisioners?.items.length ?? 0, root.provisioners],
    ["post-processors", sequences.flat().length, root.postProcessors],
  ] as const) {
    if (builders.length * count <= COMPONENT_READS_MAX) continue;
    const message = `${builders.length} builders with ${count} ${what} each are more than can be read`;
    problems.add(message, { location: section?.location });
    return [];
  }
  const postProcessorNames = sequences.flat().map(({ name }) => name);
  return selectBuilds(builders, { ...options, postProcessorNames }, options).flatMap((builder) => {
    // Told only now: of a builder that nobody wants, nothing has to be known.
    const type = knownBuilder(builder.type, builder.typeLocation, problems);
    if (type === undefined) return [];
    const scopeOfBuild = buildScope({ name: builder.name, type }, options);
    const builderPlan = readBuilder(
      { object: builder.object, type },
      { ...options, language: LEGACY_JSON, scope: scopeOfBuild },
    );
    const componentOptions = {
      ...options,
      buildName: builder.name,
      buildNames,
      language: LEGACY_JSON,
      scope: { ...scopeOfBuild, known: {} },
    };
    const provisioners = readProvisioners(root.provisioners, componentOptions);
    const errorCleanupProvisioner =
      root.errorCleanupProvisioner === undefined
        ? undefined
        : readProvisioner(root.errorCleanupProvisioner, componentOptions);
    const postProcessors = readPostProcessors(sequences, componentOptions);
    if (builderPlan === undefined) return [];
    const { name, object } = builder;
    return [
      {
        name,
        sourceName: name,
        ...builderPlan,
        location: object.location,
        provisioners,
        errorCleanupProvisioner,
        postProcessors,
      },
    ];
  });
}
