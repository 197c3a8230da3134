import { ToolError } from "../../base/errors.ts";
import type { ProblemList } from "../../base/problems.ts";
import { nearMiss } from "../../base/suggest.ts";
import type { BuildVariables, Deferred } from "../deferred.ts";
import type { TemplateScope } from "../go-template/bind.ts";
import { compileTemplate } from "../go-template/compile.ts";
import type { RuntimeTexts, RuntimeValue } from "./located-value.ts";

/**
 * Makes a deferred value of what its language leaves open. What that gives are Go templates still, as in Packer.
 *
 * @param texts what the value is taken for: a text, or a list, of which one stands for all items.
 * @returns `undefined` if it uses what never exists here, which has been told.
 */
export function compileRuntimeValue(
  value: RuntimeValue,
  texts: RuntimeTexts,
  scope: TemplateScope,
  problems: ProblemList,
): Deferred | undefined {
  const { location, needs, source } = value;
  const unknown = needs.filter((name) => !scope.fields.has(name));
  for (const name of unknown) problems.add(...unknownVariable(name, scope, location));
  const samples = (texts.sample() ?? []).map((text) => compileTemplate(text, scope));
  const errors = samples.flatMap((sample) => ("errors" in sample ? sample.errors : []));
  for (const { message, hint } of errors.filter(({ isTold }) => !isTold)) problems.add(message, { location, hint });
  if (unknown.length > 0 || errors.length > 0) return undefined;
  const more = samples.flatMap((sample) => ("text" in sample ? sample.text.needs : []));
  const renderItems = (variables: BuildVariables): readonly string[] =>
    texts.render(variables).map((text) => {
      const compiled = compileTemplate(text, scope);
      if ("text" in compiled) return compiled.text.render(variables);
      const [error] = compiled.errors;
      throw new ToolError("ERR_TEMPLATE_RENDER", `Cannot render "${source}": ${error?.message}`, { hint: error?.hint });
    });
  return {
    source,
    needs: [...new Set([...needs, ...more])].sort(),
    render: (variables) => renderItems(variables).join("\n"),
    renderItems,
  };
}

function unknownVariable(
  name: string,
  { fields }: TemplateScope,
  location: RuntimeValue["location"],
): [string, { location: RuntimeValue["location"]; hint: string | undefined }] {
  const allowed = [...fields].map((field) => `"build.${field}"`).join(", ");
  const meant = nearMiss(name, fields);
  const hint = meant === undefined ? undefined : `Did you mean "build.${meant}"?`;
  if (fields.size === 0) return [`"build.${name}" is not known here`, { location, hint }];
  return [`Unknown build variable "build.${name}": here there are ${allowed}`, { location, hint }];
}
