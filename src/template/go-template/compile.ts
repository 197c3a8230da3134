import { ToolError } from "../../base/errors.ts";
import { type BuildVariables, type Deferred, plainText } from "../deferred.ts";
import { Binder, type Findings, type TemplateScope } from "./bind.ts";
import { Execution } from "./execute.ts";
import { foldNode } from "./fold.ts";
import { BRACES_HINT } from "./lexer.ts";
import { parseTemplate } from "./parser.ts";
import { type ActionNode, GoTemplateError, type ParsedTemplate, type TemplateNode } from "./syntax.ts";
import { spendAt, TextBudget } from "./text-budget.ts";
import { BuildData, isMapField, type Value } from "./value.ts";
import { Variables } from "./variables.ts";

export type CompiledTemplate = { readonly text: Deferred } | { readonly errors: readonly GoTemplateError[] };

// Of one text.
const ERRORS_MAX = 20;
// Each level is some calls deeper.
const DEPTH_MAX = 100;
// What reading a text that an expression gives counts as text: variables may use each other twice.
const NESTED_COST = 1024;

/** Whether a text is more than it says. */
export function hasTemplate(source: string): boolean {
  return source.includes("{{");
}

/**
 * Checks a template string and evaluates all of it that needs no build variable.
 *
 * With `scope.evaluatesResults`, what an expression gives is a template again: ``{{user `command`}}`` where that variable
 * has `{{.Path}}` in it. Values of build variables are not, and neither are braces that are not closed, which thus can be
 * written.
 *
 * Each wrong expression is an error of its own; a mistake in the syntax hides those after it.
 */
export function compileTemplate(source: string, scope: TemplateScope): CompiledTemplate {
  if (!hasTemplate(source)) return { text: plainText(source) };
  return compileNested(source, { ...scope, budget: scope.budget ?? new TextBudget() }, 0);
}

type BoundedScope = TemplateScope & { readonly budget: TextBudget };

/** @param depth of how many values of expressions it is a part. */
function compileNested(source: string, scope: BoundedScope, depth: number): CompiledTemplate {
  let parsed: ParsedTemplate;
  try {
    parsed = parseTemplate(source, { leavesFields: scope.leavesFields });
  } catch (error) {
    if (!(error instanceof GoTemplateError)) throw error;
    return { errors: [error] };
  }
  const nested = new NestedTemplates(source, scope, depth);
  const compilation = new Compilation(parsed, scope, nested);
  for (const node of parsed.nodes) {
    if (compilation.errors.length >= ERRORS_MAX) break;
    compilation.add(node);
  }
  compilation.end();
  const { errors, parts } = compilation;
  return errors.length > 0 ? { errors } : { text: deferredText(source, parts, scope, nested) };
}

/** A node that waits for build variables. */
interface DeferredNode {
  readonly node: TemplateNode;
  readonly needs: ReadonlySet<string>;
  /** Variables whose values do not wait. */
  readonly variables: ReadonlyMap<string, Value>;
}

type Part = string | DeferredNode | Deferred;

/** Compiles what the expressions of a text give. */
class NestedTemplates {
  readonly #source: string;
  readonly #scope: BoundedScope;
  readonly #depth: number;

  constructor(source: string, scope: BoundedScope, depth: number) {
    this.#source = source;
    this.#scope = scope;
    this.#depth = depth;
  }

  /**
   * What the value of an expression comes to.
   *
   * @param errors gets what is wrong in it.
   */
  expand(value: string, { pipeline: { offset } }: ActionNode, errors: GoTemplateError[]): Deferred {
    // One that gives itself comes to that in Packer, too.
    const isTemplate = this.#scope.evaluatesResults === true && hasWholeExpression(value);
    if (!isTemplate || value === this.#source) return plainText(value);
    try {
      if (this.#depth >= DEPTH_MAX) {
        throw new GoTemplateError(`Expressions give expressions more than ${DEPTH_MAX} deep`, offset);
      }
      spendAt(this.#scope.budget, NESTED_COST + value.length, offset);
    } catch (error) {
      if (!(error instanceof GoTemplateError)) throw error;
      errors.push(error);
      return plainText("");
    }
    const compiled = compileNested(value, this.#scope, this.#depth + 1);
    if ("text" in compiled) return compiled.text;
    if (this.#scope.secrets?.isSecret(value)) errors.push(new GoTemplateError(WRONG_SECRET, offset, VALUE_HINT));
    else errors.push(...compiled.errors.map((error) => ofValue(error, offset)));
    return plainText("");
  }
}

function hasWholeExpression(value: string): boolean {
  const open = value.indexOf("{{");
  return open !== -1 && value.includes("}}", open + 2);
}

/** The error at the expression that gave the text: the text itself may stand anywhere. */
function ofValue({ message, hint, isTold }: GoTemplateError, offset: number): GoTemplateError {
  const isFirst = !message.startsWith(OF_VALUE);
  return new GoTemplateError(
    isFirst ? OF_VALUE + message : message,
    offset,
    hint === BRACES_HINT ? VALUE_HINT : hint,
    isTold,
  );
}

const OF_VALUE = "What this gives is evaluated, too: ";
const VALUE_HINT = 'To have "{{" as plain text, write {{`{{`}} here, not in what this gives';
// Its own names must not be told.
const WRONG_SECRET = "What this gives is evaluated, too, and something in its braces is wrong";

/** The outermost nodes of a text, of which each is run now or kept for later. */
class Compilation {
  readonly errors: GoTemplateError[] = [];
  readonly parts: Part[] = [];
  readonly #binder: Binder;
  readonly #scope: BoundedScope;
  readonly #nested: NestedTemplates;
  readonly #variables: Variables;
  /** Variables that depend on what waits. */
  readonly #waiting = new Set<string>();
  /** Variables without a value, since something is wrong with it. */
  readonly #broken = new Set<string>();

  constructor({ definitions }: ParsedTemplate, scope: BoundedScope, nested: NestedTemplates) {
    this.#binder = new Binder(definitions, scope, this.errors);
    this.#scope = scope;
    this.#nested = nested;
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
    const execution = new Execution(this.#scope.budget);
    const dot = this.#variables.valueOf("$");
    try {
      execution.run([node], { dot, variables: this.#variables, data: new BuildData(this.#scope.known) });
      for (const { text, action } of execution.outputs) {
        this.parts.push(action === undefined ? text : this.#nested.expand(text, action, this.errors));
      }
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

function deferredText(source: string, parts: readonly Part[], scope: BoundedScope, nested: NestedTemplates): Deferred {
  const needs = [...new Set(parts.flatMap((part) => (typeof part === "string" ? [] : [...part.needs])))].sort();
  return {
    source,
    needs,
    render(variables) {
      const missing = needs.find((name) => !isMapField(name) && variables[name] === undefined);
      if (missing !== undefined) throw renderError(source, `the build variable "${missing}" has no value`);
      try {
        return renderParts(parts, { ...scope.known, ...variables }, { scope, nested });
      } catch (error) {
        if (!(error instanceof GoTemplateError)) throw error;
        throw renderError(source, error.message, error.hint);
      }
    },
  };
}

function renderParts(
  parts: readonly Part[],
  buildVariables: BuildVariables,
  { scope, nested }: { scope: BoundedScope; nested: NestedTemplates },
): string {
  const dot = dotOf(scope, buildVariables);
  const variables = new Variables(undefined, new Map([["$", dot]]));
  const data = new BuildData(buildVariables);
  const texts = parts.map((part) => {
    if (typeof part === "string") return part;
    if ("render" in part) return part.render(buildVariables);
    for (const [name, value] of part.variables) variables.declare(name, value);
    const execution = new Execution(scope.budget);
    execution.run([part.node], { dot, variables, data });
    const errors: GoTemplateError[] = [];
    const given = execution.outputs.map(({ text, action }) => {
      // Others have values of build variables in them.
      if (action?.pipeline.expression.kind !== "value") return text;
      return nested.expand(text, action, errors).render(buildVariables);
    });
    if (errors[0] !== undefined) throw errors[0];
    return given.join("");
  });
  return texts.join("");
}

function renderError(source: string, detail: string, hint?: string): ToolError {
  return new ToolError("ERR_TEMPLATE_RENDER", `Cannot render "${source}": ${detail}`, { hint });
}
