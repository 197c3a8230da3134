import { ProblemList } from "../base/problems.ts";
import { describeHclTemplate } from "./hcl2/config/describe-hcl-template.ts";
import { describeJsonTemplate } from "./json/describe-json-template.ts";
import {
  isHclTemplate,
  type ReadTemplateOptions,
  STDIN,
  templateText,
  throwTooMany,
  unlessTooMany,
} from "./read-template.ts";
import type { TemplateDescription } from "./template-description.ts";
import { TemplateError } from "./template-error.ts";
import { hclOptions } from "./template-evaluator.ts";

/**
 * Reads what a template declares, without what that comes to.
 *
 * @param path of the template; `-` is standard input.
 * @throws {TemplateError} with everything that is wrong.
 */
export async function describeTemplate(path: string, options: ReadTemplateOptions): Promise<TemplateDescription> {
  const problems = new ProblemList({ onFull: throwTooMany });
  const file = path === "-" ? STDIN : path;
  const secrets = new Set<string>();
  const description = await unlessTooMany(async () => {
    if (isHclTemplate(path)) return describeHclTemplate(path, hclOptions(options, { problems, secrets }));
    const text = await templateText(path, options, problems);
    return text === undefined ? undefined : describeJsonTemplate(file, text, problems);
  });
  if (description === undefined || !problems.isEmpty) {
    throw new TemplateError(file, problems.sorted([...secrets, ...(description?.secrets ?? [])]));
  }
  return description;
}
