import { ToolError } from "../../base/errors.ts";
import type { ProblemList } from "../../base/problems.ts";
import { nearMiss } from "../../base/suggest.ts";
import type { Deferred } from "../deferred.ts";
import type { TemplateScope } from "../go-template/bind.ts";
import { compileTemplate } from "../go-template/compile.ts";
import type { RuntimeText } from "./located-value.ts";

/**
 * Makes a deferred value of text that its language leaves open. What that gives is a Go template still, as in Packer.
 *
 * @returns `undefined` if it uses what never exists here, which has been told.
 */
export function compileRuntimeText(
  text: RuntimeText,
  scope: TemplateScope,
  problems: ProblemList,
): Deferred | undefined {
  const { location, needs, source } = text;
  const unknown = needs.filter((name) => !scope.fields.has(name));
  for (const name of unknown) problems.add(...unknownVariable(name, scope, location));
  const sample = text.sample === undefined ? undefined : compileTemplate(text.sample, scope);
  const errors = sample !== undefined && "errors" in sample ? sample.errors : [];
  for (const { message, hint } of errors.filter(({ isTold }) => !isTold)) problems.add(message, { location, hint });
  if (unknown.length > 0 || errors.length > 0) return undefined;
  const more = sample !== undefined && "text" in sample ? sample.text.needs : [];
  return {
    source,
    needs: [...new Set([...needs, ...more])].sort(),
    render(variables) {
      const compiled = compileTemplate(text.render(variables), scope);
      if ("text" in compiled) return compiled.text.render(variables);
      const [error] = compiled.errors;
      throw new ToolError("ERR_TEMPLATE_RENDER", `Cannot render "${source}": ${error?.message}`, { hint: error?.hint });
    },
  };
}

function unknownVariable(
  name: string,
  { fields }: TemplateScope,
  location: RuntimeText["location"],
): [string, { location: RuntimeText["location"]; hint: string | undefined }] {
  const allowed = [...fields].map((field) => `"build.${field}"`).join(", ");
  const meant = nearMiss(name, fields);
  const hint = meant === undefined ? undefined : `Did you mean "build.${meant}"?`;
  if (fields.size === 0) return [`"build.${name}" is not known here`, { location, hint }];
  return [`Unknown build variable "build.${name}": here there are ${allowed}`, { location, hint }];
}
