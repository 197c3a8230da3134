import { text as readAll } from "node:stream/consumers";
import type { TemplatePlan } from "../../template/build-plan.ts";
import type { CliContext } from "../cli-context.ts";
import { usageError } from "../usage-error.ts";

/** The flags by which a template is read. */
export interface TemplateOptions {
  /** `name=value` each. */
  readonly var?: readonly string[];
  readonly varFile?: readonly string[];
  readonly only?: readonly string[];
  readonly except?: readonly string[];
}

/** Reads a template as the command line says. */
export async function readTemplateWith(
  path: string,
  options: TemplateOptions,
  context: CliContext,
): Promise<TemplatePlan> {
  const variables = (options.var ?? []).map(parseVariable);
  const { readTemplate } = await import("../../template/read-template.ts");
  return readTemplate(path, {
    variables,
    varFiles: options.varFile ?? [],
    only: options.only ?? [],
    except: options.except ?? [],
    environment: context.environment,
    startTime: new Date(),
    stdin: () => readAll(context.stdin),
    toolVersion: context.version,
  });
}

/** What the reader finds odd and not wrong, a line each. */
export function templateWarnings({ warnings }: TemplatePlan): string[] {
  return warnings.map(({ location, message, hint }) => {
    const place = location === undefined ? "" : `${location.file}:${location.line}:${location.column}: `;
    return `Warning: ${place}${message}${hint === undefined ? "" : ` (${hint})`}`;
  });
}

function parseVariable(text: string): { name: string; value: string } {
  const equals = text.indexOf("=");
  if (equals > 0) return { name: text.slice(0, equals), value: text.slice(equals + 1) };
  // Not quoted: whoever forgot the name may have typed a secret.
  throw usageError("Cannot read the value of -var: it is not of the form name=value", "Write -var 'name=value'");
}
