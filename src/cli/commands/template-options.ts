import type { TemplatePlan } from "../../template/build-plan.ts";
import type { DataSources } from "../../template/data-sources.ts";
import type { ReadTemplateOptions } from "../../template/read-template.ts";
import type { CliContext } from "../cli-context.ts";
import { repeatableInput } from "../repeatable-input.ts";
import { usageError } from "../usage-error.ts";
import { readAskingServices } from "./template-foreign-values.ts";

/** The flags that set variables. */
export interface VariableOptions {
  /** `name=value` each. */
  readonly var?: readonly string[];
  readonly varFile?: readonly string[];
}

/** The flags by which a template is read. */
export interface TemplateOptions extends VariableOptions {
  readonly only?: readonly string[];
  readonly except?: readonly string[];
  readonly warnOnUndeclaredVar?: boolean;
  /** No flag: whether a template may leave nothing to build. */
  readonly allowsNoBuilds?: boolean;
}

/**
 * Reads a template as the command line says, and asks the services that it names for values.
 *
 * @param dataSources asked what its data sources ask. Without them, nobody is.
 */
export async function readTemplateWith(
  path: string,
  options: TemplateOptions,
  context: CliContext,
  { signal, dataSources }: { readonly signal: AbortSignal; readonly dataSources: DataSources | undefined },
): Promise<TemplatePlan> {
  const { readTemplate } = await import("../../template/read-template.ts");
  const asked = dataSources === undefined ? {} : { dataSources };
  const shared = { ...readOptions(options, context), ...asked };
  const plan = await readAskingServices(
    context,
    (foreignValues) => readTemplate(path, { ...shared, foreignValues }),
    signal,
  );
  for (const secret of plan.secrets) context.secrets.add(secret);
  return plan;
}

/** What the command line says about how a template is read. */
export function readOptions(options: TemplateOptions, context: CliContext): ReadTemplateOptions {
  return {
    variables: (options.var ?? []).map(parseVariable),
    varFiles: options.varFile ?? [],
    warnOnUndeclaredVariables: options.warnOnUndeclaredVar ?? false,
    only: options.only ?? [],
    except: options.except ?? [],
    allowsNoBuilds: options.allowsNoBuilds ?? false,
    environment: context.environment,
    startTime: new Date(),
    stdin: repeatableInput(() => context.stdin),
    toolVersion: context.version,
  };
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
