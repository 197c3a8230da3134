import type { ProblemList } from "../../../base/problems.ts";
import type { SourceLocation } from "../../../base/source-location.ts";
import type { BuildPlan } from "../../build-plan.ts";
import { type BuildScopeOptions, buildScope } from "../../plan/build-scope.ts";
import { knownBuilder, readBuilder } from "../../plan/builders.ts";
import type { LocatedList, LocatedObject, LocatedValue } from "../../plan/located-value.ts";
import { namePostProcessors, readPostProcessors } from "../../plan/post-processors.ts";
import { type ReadProvisionersOptions, readProvisioner, readProvisioners } from "../../plan/provisioners.ts";
import { type BuildSelection, selectBuilds } from "../../plan/select-builds.ts";
import type { SourceFileChecks } from "../../plan/source-file-checks.ts";
import { POST_PROCESSORS, PROVISIONERS } from "../../schema/components.ts";
import { PROVISIONER_VARIABLES } from "../../schema/fields.ts";
import { innerScope } from "../evaluate/scope.ts";
import { objectValue, stringValue, unknownValue } from "../values/construct.ts";
import { STRING } from "../values/value.ts";
import { blocksOf } from "./body-blocks.ts";
import { BUILD_LABELS, type BuildBlock, type SourceUse } from "./build-blocks.ts";
import { buildPattern } from "./build-pattern.ts";
import { locateComponent } from "./component-body.ts";
import { HCL2 } from "./language.ts";
import { literalText } from "./literal-text.ts";
import { hasLabels } from "./root-blocks.ts";
import { plannedBuild, type RuntimeScope } from "./runtime-value.ts";
import { expandBlocks, type ScopedBlock } from "./scoped-block.ts";
import { locateBuilder } from "./sources.ts";

export interface BuildsOptions extends BuildSelection, BuildScopeOptions {
  readonly problems: ProblemList;
  readonly warnings: ProblemList;
  /** Told that there is no build, or none that `only` and `except` leave. */
  readonly nothingToBuild: ProblemList;
  /** Where the template begins. */
  readonly location: SourceLocation | undefined;
  readonly sourceFiles: SourceFileChecks;
}

/** A build block together with one of its sources. */
interface NamedBuild {
  /** `type.name`, with the name of the build block before it if it has one. */
  readonly name: string;
  readonly block: BuildBlock;
  readonly use: SourceUse;
}

// Each build has the provisioners and post-processors read for itself.
const COMPONENT_READS_MAX = 50_000;

/** The builds that `-only` and `-except` leave: each build block with each of its sources. */
export function readBuilds(blocks: readonly BuildBlock[], options: BuildsOptions): BuildPlan[] {
  const { problems } = options;
  const named = nameBuilds(blocks, problems);
  // If something else is wrong, that may be why.
  if (named.length === 0 && problems.isEmpty) addNoBuild(blocks, options);
  const reads = blocks.reduce((sum, { uses, blocks: inner }) => sum + Math.max(1, uses.length) * inner.length, 0);
  if (reads > COMPONENT_READS_MAX) {
    problems.add("The builds have more provisioners and post-processors, all together, than can be read");
    return [];
  }
  checkPatterns(options, problems);
  for (const block of blocks) {
    if (block.uses.length === 0 && block.hasWrongSource) readComponents({ block, use: undefined }, named, options);
  }
  const postProcessorNames = [...new Set(blocks.flatMap(writtenPostProcessorNames))];
  const selected = selectBuilds(named, { ...options, postProcessorNames, fits: fitsPattern }, options);
  return selected.flatMap((build) => readBuild(build, named, options) ?? []);
}

function addNoBuild([block]: readonly BuildBlock[], { nothingToBuild, location }: BuildsOptions): void {
  const hint = 'Write build { sources = ["source.amazon-chroot.name"] }';
  if (block === undefined) nothingToBuild.add("The template has no build block", { location, hint });
  else nothingToBuild.add("No build block has a source", { location: block.location, hint });
}

function checkPatterns({ only, except }: BuildSelection, problems: ProblemList): void {
  for (const [flag, patterns] of [
    ["-only", only],
    ["-except", except],
  ] as const) {
    for (const pattern of patterns.filter((one) => buildPattern(one) === undefined)) {
      const hint =
        'In brackets stand characters or a range, such as "[ab]" or "[a-z]"; for the bracket itself, write "\\["';
      problems.add(`${flag} has a wrong pattern: "${pattern}"`, { hint });
    }
  }
}

function fitsPattern(pattern: string, name: string): boolean {
  return buildPattern(pattern)?.test(name) ?? false;
}

function nameBuilds(blocks: readonly BuildBlock[], problems: ProblemList): NamedBuild[] {
  const named = new Map<string, NamedBuild>();
  for (const block of blocks) {
    for (const use of block.uses) {
      const name = [...(block.name === "" ? [] : [block.name]), use.source.type, use.name].join(".");
      if (named.has(name)) {
        problems.add(`Two builds have the name "${name}"`, {
          location: use.location,
          hint: 'Give the build block a "name", or the source another one: source "…" { name = "…" }',
        });
      } else {
        named.set(name, { name, block, use });
      }
    }
  }
  return [...named.values()];
}

/** As far as they are written out: what is evaluated is known of the builds that are read. */
function writtenPostProcessorNames({ blocks }: Pick<BuildBlock, "blocks">): string[] {
  return blocks.flatMap(({ type, labels, body }) => {
    if (type === "post-processors") return writtenPostProcessorNames({ blocks: body.blocks });
    const name = body.attributes.get("name");
    const text = name === undefined ? undefined : literalText(name.value);
    return type === "post-processor" ? [text || (labels[0]?.text ?? "")] : [];
  });
}

function readBuild(build: NamedBuild, all: readonly NamedBuild[], options: BuildsOptions): BuildPlan | undefined {
  const { problems, warnings } = options;
  const { use } = build;
  const { source } = use;
  const goScope = buildScope({ name: use.name, type: source.type }, options);
  const object = locateBuilder(source, use.additions, problems);
  const type = knownBuilder(source.type, source.typeLocation, problems);
  const builder =
    type === undefined
      ? undefined
      : readBuilder({ object, type }, { problems, warnings, scope: goScope, language: HCL2 });
  const components = readComponents(build, all, options);
  if (builder === undefined) return undefined;
  return { name: build.name, sourceName: use.name, ...builder, location: source.location, ...components };
}

/** Provisioners and post-processors, for one source of their build. Without it, they are read for their problems. */
function readComponents(
  { block, use }: Pick<NamedBuild, "block"> & { readonly use: SourceUse | undefined },
  all: readonly NamedBuild[],
  options: BuildsOptions,
): Pick<BuildPlan, "provisioners" | "errorCleanupProvisioner" | "postProcessors"> {
  const { problems, warnings } = options;
  const [type, name] = [use?.source.type ?? "", use?.name ?? ""];
  const buildName = `${type}.${name}`;
  const names = all.map((one) => [one.use.name, `${one.use.source.type}.${one.use.name}`] as const);
  const components = locateComponents(block, use, problems);
  const readOptions: ReadProvisionersOptions & { readonly warnings: ProblemList } = {
    buildName,
    buildNames: names.map(([, fullName]) => fullName),
    // By the name of the source alone, as in Packer.
    overrideNames: [name, buildName],
    overrideNamesAll: names.flat(),
    // Packer never looks whether they exist.
    unknownBuildNames: warnings,
    language: HCL2,
    scope: { ...buildScope({ name, type }, options), known: {} },
    problems,
    warnings,
    sourceFiles: options.sourceFiles,
  };
  const provisioners = readProvisioners(components.provisioners, readOptions);
  const errorCleanup = components.errorCleanupProvisioner;
  const errorCleanupProvisioner = errorCleanup === undefined ? undefined : readProvisioner(errorCleanup, readOptions);
  const sequences = namePostProcessors(components.postProcessors, { scope: readOptions.scope, problems });
  const except = sequences
    .flat()
    .map((one) => one.name)
    .filter((one) => options.except.some((pattern) => fitsPattern(pattern, one)));
  return {
    provisioners,
    errorCleanupProvisioner,
    postProcessors: readPostProcessors(sequences, { ...readOptions, except }),
  };
}

interface Components {
  readonly provisioners: LocatedList;
  readonly errorCleanupProvisioner: LocatedObject | undefined;
  readonly postProcessors: LocatedList;
}

/** What else stands in the build block, as the sections of a JSON template: evaluated for this build. */
function locateComponents(block: BuildBlock, use: SourceUse | undefined, problems: ProblemList): Components {
  const runtime: RuntimeScope = { known: { name: block.name }, later: PROVISIONER_VARIABLES };
  const source = objectValue([
    ["type", use === undefined ? unknownValue(STRING) : stringValue(use.source.type)],
    ["name", use === undefined ? unknownValue(STRING) : stringValue(use.name)],
  ]);
  const scope = innerScope(
    block.scope,
    new Map([
      ["source", source],
      ["build", plannedBuild(runtime)],
    ]),
  );
  const options = { problems, runtime };
  const blocks = expandBlocks(block.blocks, scope, { problems, labels: BUILD_LABELS });
  const of = (type: string) => blocks.filter((one) => one.block.type === type);
  const [errorCleanup, second] = of("error-cleanup-provisioner");
  if (second !== undefined) {
    const location = second.block.typeRange.start;
    problems.add('There can be one "error-cleanup-provisioner" only', { location });
  }
  const list = (items: readonly LocatedValue[]): LocatedList => ({ kind: "array", location: block.location, items });
  return {
    provisioners: list(of("provisioner").map((one) => locateProvisioner(one, options))),
    errorCleanupProvisioner: errorCleanup === undefined ? undefined : locateProvisioner(errorCleanup, options),
    postProcessors: list(
      blocks.flatMap((one): LocatedValue[] => {
        if (one.block.type === "post-processor") return [locatePostProcessor(one, options)];
        return one.block.type === "post-processors" ? [locateSequence(one, options)] : [];
      }),
    ),
  };
}

interface LocateOptions {
  readonly problems: ProblemList;
  readonly runtime: RuntimeScope;
}

function locateProvisioner(one: ScopedBlock, options: LocateOptions): LocatedObject {
  const type = one.block.labels[0]?.text ?? "";
  const component = Object.hasOwn(PROVISIONERS, type) ? PROVISIONERS[type as keyof typeof PROVISIONERS] : undefined;
  const override = one.block.body.blocks.find((inner) => inner.type === "override");
  if (override !== undefined) {
    const location = override.typeRange.start;
    options.problems.add('"override" is not a block', { location, hint: "Write override = { … }" });
  }
  const object = locateComponent(one, component?.schema, options);
  // Of use to `inspect` only.
  return { ...object, members: object.members.filter(({ key }) => key !== "name") };
}

function locatePostProcessor(one: ScopedBlock, options: LocateOptions): LocatedObject {
  const type = one.block.labels[0]?.text ?? "";
  const component = Object.hasOwn(POST_PROCESSORS, type)
    ? POST_PROCESSORS[type as keyof typeof POST_PROCESSORS]
    : undefined;
  return locateComponent(one, component?.schema, options);
}

function locateSequence({ block, scope }: ScopedBlock, options: LocateOptions): LocatedList {
  const { problems } = options;
  const labels = { "post-processor": ["type"], dynamic: ["type"] };
  const { attributes, blocks } = blocksOf(block.body, labels, problems);
  const wrong = [
    ...[...attributes.values()].map(({ name, nameRange }) => ({ name, range: nameRange })),
    ...blocks
      .filter(({ type }) => type !== "post-processor" && type !== "dynamic")
      .map(({ type, typeRange }) => ({ name: type, range: typeRange })),
  ];
  for (const { name, range } of wrong) {
    problems.add(`Unknown key "${name}" of post-processors`, {
      location: range.start,
      hint: 'It has blocks in it: post-processor "manifest" { … }',
    });
  }
  const items = expandBlocks(blocks, scope, { problems, labels })
    .filter((one) => one.block.type === "post-processor" && hasLabels(one.block, ["type"], problems))
    .map((one) => locatePostProcessor(one, options));
  return { kind: "array", location: block.typeRange.start, items };
}
