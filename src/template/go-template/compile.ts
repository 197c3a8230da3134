import { ToolError } from "../../base/errors.ts";
import { type BuildVariables, type Deferred, plainText } from "../deferred.ts";
import { Binder, type Findings, type TemplateScope } from "./bind.ts";
import { Execution } from "./execute.ts";
import { foldNode } from "./fold.ts";
import { parseTemplate } from "./parser.ts";
import { GoTemplateError, type ParsedTemplate, type TemplateNode } from "./syntax.ts";
import { TextBudget } from "./text-budget.ts";
import { BuildData, isMapField, type Value } from "./value.ts";
import { Variables } from "./variables.ts";

export type CompiledTemplate = { readonly text: Deferred } | { readonly errors: readonly GoTemplateError[] };

// Of one text.
const ERRORS_MAX = 20;

/** Whether a text is more than it says. */
export function hasTemplate(source: string): boolean {
  return source.includes("{{");
}

/**
 * Checks a template string and evaluates all of it that needs no build variable.
 *
 * Each wrong expression is an error of its own; a mistake in the syntax hides those after it.
 */
export function compileTemplate(source: string, scope: TemplateScope): CompiledTemplate {
  if (!hasTemplate(source)) return { text: plainText(source) };
  let parsed: ParsedTemplate;
  try {
    parsed = parseTemplate(source);
  } catch (error) {
    if (!(error instanceof GoTemplateError)) throw error;
    return { errors: [error] };
  }
  const compilation = new Compilation(parsed, scope);
  for (const node of parsed.nodes) {
    if (compilation.errors.length >= ERRORS_MAX) break;
    compilation.add(node);
  }
  compilation.end();
  const { errors, parts } = compilation;
  return errors.length > 0 ? { errors } : { text: deferredText(source, parts, scope) };
}

/** A node that waits for build variables. */
interface DeferredNode {
  readonly node: TemplateNode;
  readonly needs: ReadonlySet<string>;
  /** Variables whose values do not wait. */
  readonly variables: ReadonlyMap<string, Value>;
}

type Part = string | DeferredNode;

/** The outermost nodes of a text, of which each is run now or kept for later. */
class Compilation {
  readonly errors: GoTemplateError[] = [];
  readonly parts: Part[] = [];
  readonly #binder: Binder;
  readonly #scope: TemplateScope;
  readonly #budget: TextBudget;
  readonly #variables: Variables;
  /** Variables that depend on what waits. */
  readonly #waiting = new Set<string>();
  /** Variables without a value, since something is wrong with it. */
  readonly #broken = new Set<string>();

  constructor({ definitions }: ParsedTemplate, scope: TemplateScope) {
    this.#binder = new Binder(definitions, scope, this.errors);
    this.#scope = scope;
    this.#budget = scope.budget ?? new TextBudget();
    this.#variables = new Variables(undefined, new Map([["$", dotOf(scope, scope.known)]]));
  }

  add(source: TemplateNode): void {
    const told = this.errors.length;
    const { node, findings } = this.#binder.bind(source);
    if (this.errors.length > told || includesAny(this.#broken, findings.touched)) {
      for (const name of findings.changed) this.#broken.add(name);
    } else if (findings.needs.size > 0 || includesAny(this.#waiting, findings.touched)) {
      this.#defer(node, findings);
    } else {
      this.#run(node, findings);
    }
  }

  end(): void {
    if (this.errors.length === 0) this.#binder.bindUnused();
  }

  #run(node: TemplateNode, { changed }: Findings): void {
    const execution = new Execution(this.#budget);
    const dot = this.#variables.valueOf("$");
    try {
      execution.run([node], { dot, variables: this.#variables, data: new BuildData(this.#scope.known) });
      this.parts.push(execution.text);
    } catch (error) {
      if (!(error instanceof GoTemplateError)) throw error;
      this.errors.push(error);
      for (const name of changed) this.#broken.add(name);
    }
  }

  #defer(node: TemplateNode, { needs, touched, changed }: Findings): void {
    const variables = new Map<string, Value>();
    for (const name of touched) {
      if (!this.#waiting.has(name) && this.#variables.has(name)) variables.set(name, this.#variables.valueOf(name));
    }
    for (const name of changed) this.#waiting.add(name);
    this.parts.push({ node: foldNode(node, this.errors), needs, variables });
  }
}

function includesAny(set: ReadonlySet<string>, names: Iterable<string>): boolean {
  for (const name of names) if (set.has(name)) return true;
  return false;
}

/** As in Packer there is no dot where there are no build variables. */
function dotOf({ fields }: TemplateScope, variables: BuildVariables): Value {
  return fields.size > 0 ? new BuildData(variables) : null;
}

function deferredText(source: string, parts: readonly Part[], scope: TemplateScope): Deferred {
  const needs = [...new Set(parts.flatMap((part) => (typeof part === "string" ? [] : [...part.needs])))].sort();
  return {
    source,
    needs,
    render(variables) {
      const missing = needs.find((name) => !isMapField(name) && variables[name] === undefined);
      if (missing !== undefined) throw renderError(source, `the build variable "${missing}" has no value`);
      try {
        return renderParts(parts, { ...scope.known, ...variables }, scope);
      } catch (error) {
        if (!(error instanceof GoTemplateError)) throw error;
        throw renderError(source, error.message, error.hint);
      }
    },
  };
}

function renderParts(parts: readonly Part[], buildVariables: BuildVariables, scope: TemplateScope): string {
  const dot = dotOf(scope, buildVariables);
  const variables = new Variables(undefined, new Map([["$", dot]]));
  const data = new BuildData(buildVariables);
  const budget = scope.budget ?? new TextBudget();
  const texts = parts.map((part) => {
    if (typeof part === "string") return part;
    for (const [name, value] of part.variables) variables.declare(name, value);
    const execution = new Execution(budget);
    execution.run([part.node], { dot, variables, data });
    return execution.text;
  });
  return texts.join("");
}

function renderError(source: string, detail: string, hint?: string): ToolError {
  return new ToolError("ERR_TEMPLATE_RENDER", `Cannot render "${source}": ${detail}`, { hint });
}
