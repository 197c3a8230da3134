import type { ProblemList } from "../../../base/problems.ts";
import type { DescribedBuild, DescribedStep, HclTemplateDescription } from "../../template-description.ts";
import { blocksOf } from "./body-blocks.ts";
import { BUILD_LABELS, type BuildBlock } from "./build-blocks.ts";
import { describeValues } from "./describe-values.ts";
import { literalText } from "./literal-text.ts";
import { type OpenHclOptions, openHclTemplate } from "./open-hcl-template.ts";
import { expandBlocks, type ScopedBlock } from "./scoped-block.ts";

/**
 * What an HCL2 template declares.
 *
 * @param path of a file, or of a directory with all files of a template.
 * @returns `undefined` if nothing can be read. It counts only if there are no problems.
 */
export async function describeHclTemplate(
  path: string,
  options: OpenHclOptions,
): Promise<HclTemplateDescription | undefined> {
  const template = await openHclTemplate(path, { ...options, allowsUnset: true });
  if (template === undefined) return undefined;
  return {
    language: "hcl2",
    variables: describeValues(template.variables, template.variableValues),
    locals: describeValues(template.locals, template.localValues),
    builds: template.builds.map((build) => describeBuild(build, options.problems)),
    secrets: [...options.secrets],
  };
}

function describeBuild(build: BuildBlock, problems: ProblemList): DescribedBuild {
  const { name, description, uses, scope, blocks } = build;
  // Those that a `dynamic` block makes, too, as far as that does not depend on the source.
  const steps = expandBlocks(blocks, scope, { problems, labels: BUILD_LABELS });
  const of = (type: string): ScopedBlock[] => steps.filter(({ block }) => block.type === type);
  return {
    name: name === "" ? undefined : name,
    description,
    sources: uses.map(({ source, name: called }) => `${source.type}.${called}`),
    provisioners: of("provisioner").map(describeStep),
    postProcessors: steps.flatMap((step): DescribedStep[][] => {
      if (step.block.type === "post-processor") return [[describeStep(step)]];
      return step.block.type === "post-processors" ? [describeSequence(step, problems)] : [];
    }),
  };
}

function describeSequence({ block, scope }: ScopedBlock, problems: ProblemList): DescribedStep[] {
  const labels = { "post-processor": ["type"] };
  const { blocks } = blocksOf(block.body, labels, problems);
  return expandBlocks(blocks, scope, { problems, labels })
    .filter((one) => one.block.type === "post-processor")
    .map(describeStep);
}

function describeStep({ block }: ScopedBlock): DescribedStep {
  const name = block.body.attributes.get("name");
  return { type: block.labels[0]?.text ?? "", name: name === undefined ? undefined : literalText(name.value) };
}
