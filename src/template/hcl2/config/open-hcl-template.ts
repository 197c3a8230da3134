import { resolve } from "node:path";
import type { ProblemList } from "../../../base/problems.ts";
import type { SourceLocation } from "../../../base/source-location.ts";
import type { DataSources } from "../../data-sources.ts";
import { type ForeignValues, NO_FOREIGN_VALUES } from "../../foreign-values.ts";
import type { Scope } from "../evaluate/scope.ts";
import type { HclValue } from "../values/value.ts";
import { type BuildBlock, readBuildBlock } from "./build-blocks.ts";
import { declareDataSources } from "./data-blocks.ts";
import { createGoFunctions, type GoFunctions } from "./go-functions.ts";
import { declareLocals, type LocalValue } from "./locals.ts";
import { evaluateNamedValues } from "./named-values.ts";
import { checkPackerBlocks } from "./packer-block.ts";
import { collectBlocks, type RootBlocks } from "./root-blocks.ts";
import { createRootScopes } from "./root-scopes.ts";
import { expandBlocks, type ScopedBlock } from "./scoped-block.ts";
import { declareSources } from "./sources.ts";
import { readTemplateFiles, type TemplateFiles } from "./template-files.ts";
import { collectGivenValues, type HclVariableInputs } from "./variable-inputs.ts";
import { evaluateVariables } from "./variable-values.ts";
import { declareVariables, type InputVariable } from "./variables.ts";

export interface OpenHclOptions extends Omit<HclVariableInputs, "autoVarFiles"> {
  readonly startTime: Date;
  readonly toolVersion: string;
  readonly workingDirectory: string;
  /** Who answers data sources. Missing: nobody is asked, and what depends on an answer is unknown. */
  readonly dataSources?: DataSources | undefined;
  /** What `vault` and its like answer. Missing: they are refused. */
  readonly foreignValues?: ForeignValues | undefined;
  /** Whether only values are wanted: a variable without one is unknown then. @default false */
  readonly allowsUnset?: boolean;
  readonly problems: ProblemList;
  readonly warnings: ProblemList;
  /** Filled while reading, so that not even a problem tells one. */
  readonly secrets: Set<string>;
}

/** A template with its values evaluated. What is wrong or not known yet is unknown in it. */
export interface OpenHclTemplate {
  readonly variables: ReadonlyMap<string, InputVariable>;
  readonly variableValues: ReadonlyMap<string, HclValue>;
  readonly locals: ReadonlyMap<string, LocalValue>;
  readonly localValues: ReadonlyMap<string, HclValue>;
  /** Of sources and builds, and of a console: `var`, `local`, `data`, `path`, `packer`. */
  readonly scope: Scope;
  /** For the Go templates in its texts. */
  readonly goFunctions: GoFunctions;
  readonly builds: readonly BuildBlock[];
  /** The beginning of its first file. */
  readonly location: SourceLocation | undefined;
  /** Absolute. */
  readonly directory: string;
}

/**
 * Reads the files of an HCL2 template and evaluates its variables, locals and data sources.
 *
 * @param path of a file, or of a directory with all files of a template.
 * @returns `undefined` if nothing can be read.
 */
export async function openHclTemplate(path: string, options: OpenHclOptions): Promise<OpenHclTemplate | undefined> {
  const { problems } = options;
  const files = await readTemplateFiles(path, problems);
  if (files === undefined) return undefined;
  const blocks = collectBlocks(files.bodies, problems);
  checkPackerBlocks(blocks.packer, problems);
  const directory = resolve(options.workingDirectory, files.directory);
  const { variables, variableValues, scope } = await readVariables(blocks, files, options);
  const goFunctions = createGoFunctions({ ...options, templateDirectory: directory });
  const locals = declareLocals(blocks, problems);
  const named = await evaluateNamedValues(locals, declareDataSources(blocks.data, problems), {
    ...options,
    scope,
    goScope: { ...goFunctions, known: {} },
  });
  return {
    variables,
    variableValues,
    locals,
    ...named,
    goFunctions,
    builds: readBuildBlocks(blocks, { ...options, scope: named.scope }),
    location: files.bodies[0]?.range.start,
    directory,
  };
}

async function readVariables(blocks: RootBlocks, files: TemplateFiles, options: OpenHclOptions) {
  const { problems } = options;
  const { foreignValues = NO_FOREIGN_VALUES } = options;
  const scopes = createRootScopes({
    ...options,
    foreignValues,
    directory: files.directory,
    hasData: options.dataSources !== undefined || blocks.data.length === 0,
  });
  const variables = declareVariables(blocks, { scope: scopes.defaults, problems });
  const { given, hasUnreadFile } = await collectGivenValues(
    { ...options, autoVarFiles: files.autoVarFiles },
    { ...options, declared: variables, evaluation: { scope: scopes.given, problems } },
  );
  const variableValues = evaluateVariables(variables, given, {
    ...options,
    // Nobody knows what it would have set.
    allowsUnset: options.allowsUnset === true || hasUnreadFile,
    scope: scopes.validations,
  });
  return { variables, variableValues, scope: scopes.withVariables(variableValues) };
}

/** What a `dynamic` block of the template itself can make. */
const DYNAMIC_LABELS = { source: ["type", "name"], build: [] } as const;

function readBuildBlocks(
  blocks: RootBlocks,
  { scope, problems }: { readonly scope: Scope; readonly problems: ProblemList },
): BuildBlock[] {
  const expanded = expandBlocks(blocks.dynamic, scope, { problems, labels: DYNAMIC_LABELS });
  const all = (type: keyof typeof DYNAMIC_LABELS): ScopedBlock[] => [
    ...blocks[type].map((block) => ({ block, scope })),
    ...expanded.filter(({ block }) => block.type === type),
  ];
  const sources = declareSources(all("source"), problems);
  return all("build").map((block) => readBuildBlock(block, { sources, problems }));
}
