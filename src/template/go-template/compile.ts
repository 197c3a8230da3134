import { ToolError } from "../../base/errors.ts";
import type { Deferred } from "../deferred.ts";
import { bindExpression, type TemplateScope } from "./bind.ts";
import { type BoundExpression, evaluate, isMapField, printed } from "./evaluate.ts";
import { parseTemplate } from "./parser.ts";
import { GoTemplateError, type TemplatePart } from "./syntax.ts";

export type CompiledTemplate = { readonly text: Deferred } | { readonly errors: readonly GoTemplateError[] };

/**
 * Checks a template string and evaluates all of it that needs no build variable.
 *
 * Each wrong expression is an error of its own; a mistake in the syntax hides those after it.
 */
export function compileTemplate(source: string, scope: TemplateScope): CompiledTemplate {
  const errors: GoTemplateError[] = [];
  const parsed = collect(errors, () => parseTemplate(source)) ?? [];
  const parts = parsed.map((part) => collect(errors, () => bindPart(part, scope)) ?? "");
  return errors.length > 0 ? { errors } : { text: deferredText(source, parts) };
}

type BoundPart = string | Exclude<BoundExpression, { kind: "literal" }>;

function bindPart(part: TemplatePart, scope: TemplateScope): BoundPart {
  if (typeof part === "string") return part;
  const bound = bindExpression(part, scope);
  return bound.kind === "literal" ? printed(bound.value) : bound;
}

function collect<T>(errors: GoTemplateError[], work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof GoTemplateError)) throw error;
    errors.push(error);
    return undefined;
  }
}

function deferredText(source: string, parts: readonly BoundPart[]): Deferred {
  const needs = [...new Set(parts.flatMap((part) => (typeof part === "string" ? [] : fieldsOf(part))))].sort();
  return {
    source,
    needs,
    render(variables) {
      const missing = needs.find((name) => !isMapField(name) && variables[name] === undefined);
      if (missing !== undefined) throw renderError(source, `the build variable "${missing}" has no value`);
      try {
        return parts.map((part) => (typeof part === "string" ? part : printed(evaluate(part, variables)))).join("");
      } catch (error) {
        if (!(error instanceof GoTemplateError)) throw error;
        throw renderError(source, error.message, error.hint);
      }
    },
  };
}

function renderError(source: string, detail: string, hint?: string): ToolError {
  return new ToolError("ERR_TEMPLATE_RENDER", `Cannot render "${source}": ${detail}`, { hint });
}

function fieldsOf(expression: BoundExpression): string[] {
  if (expression.kind === "field") return expression.path.slice(0, 1);
  return expression.kind === "call" ? expression.operands.flatMap(fieldsOf) : [];
}
