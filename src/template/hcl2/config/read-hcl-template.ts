import type { ProblemList } from "../../../base/problems.ts";
import type { TemplatePlan } from "../../build-plan.ts";
import { addAccessSecrets } from "../../plan/access-secrets.ts";
import { SourceFileChecks } from "../../plan/source-file-checks.ts";
import { type BuildsOptions, readBuilds } from "./builds.ts";
import { HCL2 } from "./language.ts";
import { type OpenHclOptions, openHclTemplate } from "./open-hcl-template.ts";
import { collectBlocks } from "./root-blocks.ts";
import { readTemplateFiles } from "./template-files.ts";

type Plan = Pick<TemplatePlan, "description" | "builds">;

/**
 * Reads an HCL2 template.
 *
 * @param path of a file, or of a directory with all files of a template.
 * @returns a plan that counts only if there are no problems. Builds that depend on what a data source has not been asked are
 *   not in it.
 */
export async function readHclTemplate(
  path: string,
  options: OpenHclOptions & Pick<BuildsOptions, "only" | "except" | "nothingToBuild">,
): Promise<Plan> {
  const template = await openHclTemplate(path, options);
  if (template === undefined) return { description: undefined, builds: [] };
  const sourceFiles = new SourceFileChecks();
  const builds = readBuilds(template.builds, { ...options, ...template, ...template.goFunctions, sourceFiles });
  sourceFiles.run({ ...options, templateDirectory: template.directory, language: HCL2 });
  addAccessSecrets(builds, options.secrets);
  return { description: template.builds.find(({ description }) => description !== undefined)?.description, builds };
}

/** Reads all files of a template, and looks at nothing but which blocks there are. */
export async function checkHclSyntax(path: string, problems: ProblemList): Promise<void> {
  const files = await readTemplateFiles(path, problems);
  if (files !== undefined) collectBlocks(files.bodies, problems);
}
