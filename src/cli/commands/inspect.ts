import type { TemplateDescription } from "../../template/template-description.ts";
import type { CliContext } from "../cli-context.ts";
import type { ExitCode } from "../exit-codes.ts";
import { createCleaner } from "../ui/clean-events.ts";
import { hclInspectLines, type InspectLine, jsonInspectLines } from "../ui/inspect-lines.ts";
import { machineReadableLine } from "../ui/machine-readable-line.ts";
import { say } from "../ui/say.ts";
import { readOptions, type VariableOptions } from "./template-options.ts";

export type InspectOptions = VariableOptions & { readonly machineReadable?: boolean };

/** Prints what a template declares. Nothing needs to have a value, and the builders may be others than ours. */
export async function runInspect(path: string, options: InspectOptions, context: CliContext): Promise<ExitCode> {
  const { describeTemplate } = await import("../../template/describe-template.ts");
  const template = await describeTemplate(path, readOptions(options, context));
  for (const secret of template.secrets) context.secrets.add(secret);
  const isMachineReadable = context.isMachineReadable || options.machineReadable === true;
  for (const line of linesOf(template)) print(line, { ...context, isMachineReadable });
  return 0;
}

function linesOf(template: TemplateDescription): InspectLine[] {
  return template.language === "json" ? jsonInspectLines(template) : hclInspectLines(template);
}

function print(line: InspectLine, context: CliContext): void {
  const { secrets, stdout, isMachineReadable } = context;
  const { text } = createCleaner(secrets);
  if (line.kind === "say") say(text(line.text), context);
  else if (isMachineReadable) stdout.write(machineReadableLine(new Date(), "", line.type, line.data.map(text)));
}
