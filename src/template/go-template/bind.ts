import { nearMiss } from "../../base/suggest.ts";
import type { BuildVariables } from "../deferred.ts";
import { ABSENT_BUILD_VARIABLES } from "../generic-build-variables.ts";
import type { SecretWatch } from "./derived-secrets.ts";
import { evaluateClosed } from "./evaluate.ts";
import { BRACES_HINT } from "./lexer.ts";
import { Names } from "./names.ts";
import {
  type ControlNode,
  type Expression,
  GoTemplateError,
  type ParsedTemplate,
  type Pipeline,
  type TemplateBody,
  type TemplateCall,
  type TemplateNode,
} from "./syntax.ts";
import type { TemplateFunction } from "./template-function.ts";
import type { TextBudget } from "./text-budget.ts";
import { isMapField } from "./value.ts";

/** What the expressions of one template string may use. */
export interface TemplateScope {
  readonly functions: ReadonlyMap<string, TemplateFunction>;
  /** Functions that are known but cannot be called here, and why. */
  readonly absentFunctions: ReadonlyMap<string, string>;
  /** Build variables that exist when the string is rendered: `Device` for `.Device`. */
  readonly fields: ReadonlySet<string>;
  /** Whether ``build `Device` `` means the same as `.Device`. */
  readonly hasBuildFunction: boolean;
  /** Fields that have their value already. */
  readonly known: BuildVariables;
  /** Whether `{{.Name}}` stays as it is: in the value of a user variable, where it is evaluated when that is used. */
  readonly leavesFields?: boolean;
  /** Whether what expressions give is evaluated, too: as in Packer, in what is rendered while a build runs. */
  readonly evaluatesResults?: boolean;
  /** What must not be shown, and what is made of it. */
  readonly secrets?: SecretWatch | undefined;
  /** Of what loops give. @default one of this text's own */
  readonly budget?: TextBudget | undefined;
}

/** What a part of a text was found to use. */
export interface Findings {
  /** Build variables that it needs. */
  readonly needs: Set<string>;
  /** Variables of the text's outermost level that it reads or writes. */
  readonly touched: Set<string>;
  /** Of these, those it writes. */
  readonly changed: Set<string>;
  /** Templates that it runs, which use more. */
  readonly calls: Set<BoundBody>;
}

interface BoundBody extends TemplateBody {
  nodes: readonly TemplateNode[];
  readonly findings: Findings;
}

interface Place {
  readonly names: Names;
  /** Whether the dot is the build variables, and not what a `with` or `range` made of it. */
  readonly isDataDot: boolean;
  readonly findings: Findings;
}

interface Bound {
  readonly expression: Expression;
  /** Whether its value is all the build variables together. */
  readonly isData: boolean;
}

/** Looks up every name in a text, one outermost node after the other. */
export class Binder {
  readonly #scope: TemplateScope;
  readonly #definitions: ParsedTemplate["definitions"];
  /** By name and by what the dot is. */
  readonly #bodies = new Map<string, BoundBody>();
  readonly #names = new Names(undefined);
  readonly #errors: GoTemplateError[];

  /** @param errors gets what can never work. */
  constructor(definitions: ParsedTemplate["definitions"], scope: TemplateScope, errors: GoTemplateError[]) {
    this.#definitions = definitions;
    this.#scope = scope;
    this.#errors = errors;
    this.#names.declare("$", true);
  }

  /** The next node of the outermost level. */
  bind(node: TemplateNode): { node: TemplateNode; findings: Findings } {
    const findings = noFindings();
    const bound = this.#node(node, { names: this.#names, isDataDot: true, findings });
    includeCalls(findings);
    return { node: bound, findings };
  }

  /** Looks up the names in definitions that nothing uses: Go wants those to exist too. */
  bindUnused(): void {
    for (const [name, definition] of this.#definitions) {
      if (!this.#bodies.has(bodyKey(name, true))) this.#body(name, definition, false);
    }
  }

  #nodes(nodes: readonly TemplateNode[], place: Place): TemplateNode[] {
    return nodes.map((node) => this.#node(node, place));
  }

  #node(node: TemplateNode, place: Place): TemplateNode {
    switch (node.kind) {
      case "text":
      case "break":
      case "continue":
        return node;
      case "action":
        return { ...node, pipeline: this.#pipeline(node.pipeline, place, "value").pipeline };
      case "template":
        return this.#call(node, place);
      default:
        return this.#control(node, place);
    }
  }

  #control(node: ControlNode, place: Place): TemplateNode {
    const inner = { ...place, names: new Names(place.names) };
    const { pipeline, isData } = this.#pipeline(node.pipeline, inner, node.kind === "range" ? "value" : "data");
    const isDataDot = node.kind === "if" ? place.isDataDot : node.kind === "with" && isData;
    const body = this.#nodes(node.body, { ...inner, isDataDot, names: new Names(inner.names) });
    const otherwise = this.#nodes(node.otherwise, { ...inner, names: new Names(inner.names) });
    return { ...node, pipeline, body, otherwise };
  }

  #call(node: TemplateCall, place: Place): TemplateNode {
    const argument = node.argument === undefined ? undefined : this.#pipeline(node.argument, place, "data");
    const definition = this.#definitions.get(node.name);
    if (definition === undefined) {
      const meant = nearMiss(node.name, this.#definitions.keys());
      const hint = meant === undefined ? `Define it: {{define "${node.name}"}}…{{end}}` : `Did you mean "${meant}"?`;
      this.#errors.push(new GoTemplateError(`Unknown template "${node.name}"`, node.offset, hint));
      return node;
    }
    const body = this.#body(node.name, definition, argument?.isData ?? false);
    place.findings.calls.add(body);
    return { ...node, argument: argument?.pipeline, body };
  }

  /** A definition is bound when it is first used: only then is it known what its dot is. */
  #body(name: string, definition: readonly TemplateNode[], isDataDot: boolean): BoundBody {
    const key = bodyKey(name, isDataDot);
    const existing = this.#bodies.get(key);
    if (existing !== undefined) return existing;
    const body: BoundBody = { nodes: [], findings: noFindings() };
    this.#bodies.set(key, body);
    const names = new Names(undefined);
    names.declare("$", isDataDot);
    body.nodes = this.#nodes(definition, { names, isDataDot, findings: body.findings });
    return body;
  }

  /** @param allowed whether its value may be all the build variables. */
  #pipeline(pipeline: Pipeline, place: Place, allowed: "value" | "data"): { pipeline: Pipeline; isData: boolean } {
    const { variables, isDeclaration } = pipeline;
    const bound = this.#attempt(pipeline.expression, place, allowed === "data" || variables.length > 0);
    for (const { name, offset } of variables) {
      if (isDeclaration) place.names.declare(name, bound.isData);
      else if (place.names.find(name) === undefined) this.#errors.push(undefinedVariable(name, offset, place.names));
      else place.names.assign(name, bound.isData);
      if (!place.names.isOutermost(name)) continue;
      place.findings.touched.add(name);
      place.findings.changed.add(name);
    }
    return { pipeline: { ...pipeline, expression: bound.expression }, isData: bound.isData };
  }

  #attempt(expression: Expression, place: Place, isDataAllowed: boolean): Bound {
    try {
      const bound = this.#expression(expression, place);
      return isDataAllowed ? bound : this.#value(bound);
    } catch (error) {
      if (!(error instanceof GoTemplateError)) throw error;
      this.#errors.push(error);
      return { expression: { kind: "value", value: null, offset: expression.offset }, isData: false };
    }
  }

  #value(bound: Bound): Bound {
    if (!bound.isData) return bound;
    const { offset } = bound.expression;
    // As in Packer where there are none.
    if (this.#scope.fields.size === 0) return { expression: { kind: "value", value: null, offset }, isData: false };
    const allowed = [...this.#scope.fields].map((field) => `".${field}"`).join(", ");
    const message = `All build variables together are no value here: name one of ${allowed}`;
    throw new GoTemplateError(message, offset, BRACES_HINT);
  }

  #expression(expression: Expression, place: Place): Bound {
    switch (expression.kind) {
      case "dot":
        return { expression, isData: place.isDataDot };
      case "variable":
        return this.#variable(expression, place);
      case "chain":
        return this.#chain(expression, place);
      case "call":
        return { expression: this.#function(expression, place), isData: false };
      case "parenthesized": {
        const { pipeline, isData } = this.#parenthesized(expression.pipeline, place);
        return { expression: { ...expression, pipeline }, isData };
      }
      default:
        return { expression, isData: false };
    }
  }

  #parenthesized(pipeline: Pipeline, place: Place): { pipeline: Pipeline; isData: boolean } {
    if (pipeline.variables.length > 0) return this.#pipeline(pipeline, place, "data");
    const { expression, isData } = this.#expression(pipeline.expression, place);
    return { pipeline: { ...pipeline, expression }, isData };
  }

  #variable(expression: Extract<Expression, { kind: "variable" }>, { names, findings }: Place): Bound {
    const { name, offset } = expression;
    const found = names.find(name);
    if (found === undefined) throw undefinedVariable(name, offset, names);
    if (names.isOutermost(name)) findings.touched.add(name);
    return { expression, isData: found.isData };
  }

  #chain(expression: Extract<Expression, { kind: "chain" }>, place: Place): Bound {
    const { path, offset } = expression;
    const base = this.#expression(expression.base, place);
    if (!base.isData) return { expression: { ...expression, base: base.expression }, isData: false };
    const [name = "", ...keys] = path;
    const shown = `.${path.join(".")}`;
    if (!this.#scope.fields.has(name)) throw unknownField(name, shown, offset, this.#scope);
    if (keys.length > (isMapField(name) ? 1 : 0)) {
      throw new GoTemplateError(`"${shown}" does not exist: ".${path.slice(0, -1).join(".")}" is text`, offset);
    }
    return { expression: this.#need(name, { ...expression, base: base.expression }, place.findings), isData: false };
  }

  /** What stands for a build variable: its value, if there is one already. */
  #need(name: string, expression: Expression, { needs }: Findings): Expression {
    const known = this.#scope.known[name];
    if (known !== undefined) return { kind: "value", value: known, offset: expression.offset };
    needs.add(name);
    return expression;
  }

  #function(call: Extract<Expression, { kind: "call" }>, place: Place): Expression {
    if (call.name === "build" && this.#scope.hasBuildFunction) return this.#build(call, place);
    const operands = call.operands.map((operand) => {
      checkWord(operand, this.#scope);
      return this.#value(this.#expression(operand, place)).expression;
    });
    const implementation = findFunction(call, this.#scope);
    checkArgumentCount(call, implementation);
    return { ...call, operands, implementation };
  }

  #build(call: Extract<Expression, { kind: "call" }>, place: Place): Expression {
    const [operand, ...more] = call.operands.map((each) => this.#expression(each, place).expression);
    const name = operand === undefined || more.length > 0 ? undefined : evaluateClosed(operand);
    if (operand === undefined || typeof name !== "string") {
      throw new GoTemplateError('"build" takes one name', call.offset, "Write for example {{build `SourceAMI`}}");
    }
    const names = [...this.#scope.fields].filter((field) => !isMapField(field));
    if (!names.includes(name)) throw unknownBuildName(name, operand.offset, names);
    return this.#need(name, { kind: "build variable", name, offset: call.offset }, place.findings);
  }
}

function bodyKey(name: string, isDataDot: boolean): string {
  return `${isDataDot} ${name}`;
}

function noFindings(): Findings {
  return { needs: new Set(), touched: new Set(), changed: new Set(), calls: new Set() };
}

/** Adds what the templates need that are run, also by each other. */
function includeCalls({ needs, calls }: Findings): void {
  // A set goes on to what is added while it is walked.
  for (const { findings } of calls) {
    for (const name of findings.needs) needs.add(name);
    for (const body of findings.calls) calls.add(body);
  }
}

function undefinedVariable(name: string, offset: number, names: Names): GoTemplateError {
  const meant = nearMiss(name, names.all());
  const hint = meant === undefined ? `Declare it before: {{${name} := …}}` : `Did you mean "${meant}"?`;
  return new GoTemplateError(`Unknown variable "${name}"`, offset, hint);
}

function unknownField(
  name: string,
  shown: string,
  offset: number,
  { fields, leavesFields = false }: TemplateScope,
): GoTemplateError {
  if (fields.size === 0) {
    const hint = leavesFields ? `Write it as {{${shown}}}, which is evaluated where the variable is used` : BRACES_HINT;
    return new GoTemplateError(`No build variable such as "${shown}" exists here`, offset, hint);
  }
  const allowed = [...fields].map((field) => `".${field}"`).join(", ");
  const meant = nearMiss(name, fields);
  const hint = meant === undefined ? BRACES_HINT : `Did you mean ".${meant}"?`;
  return new GoTemplateError(`Unknown build variable "${shown}": here there are ${allowed}`, offset, hint);
}

function unknownBuildName(name: string, offset: number, names: readonly string[]): GoTemplateError {
  const why = ABSENT_BUILD_VARIABLES.get(name);
  if (why !== undefined) {
    const hint = `There are ${names.map((known) => `"${known}"`).join(", ")}`;
    return new GoTemplateError(`The build variable "${name}" has no value here: ${why}`, offset, hint);
  }
  const meant = nearMiss(name, names);
  return new GoTemplateError(
    `Unknown build variable "${name}": here there are ${names.map((known) => `"${known}"`).join(", ")}`,
    offset,
    meant === undefined ? undefined : `Did you mean "${meant}"?`,
  );
}

/** An operand that is a single word, and no function, was probably meant as a text. */
function checkWord(operand: Expression, scope: TemplateScope): void {
  if (operand.kind !== "call" || operand.operands.length > 0) return;
  const { name, offset } = operand;
  const isBuild = name === "build" && scope.hasBuildFunction;
  if (isBuild || scope.functions.has(name) || scope.absentFunctions.has(name)) return;
  throw unknownFunction(name, offset, scope, `If it is a text, write it in backquotes: \`${name}\``);
}

function findFunction({ name, offset }: { name: string; offset: number }, scope: TemplateScope): TemplateFunction {
  const found = scope.functions.get(name);
  if (found !== undefined) return found;
  const absent = scope.absentFunctions.get(name);
  if (absent !== undefined) throw new GoTemplateError(`The template function "${name}" ${absent}`, offset);
  throw unknownFunction(name, offset, scope, BRACES_HINT);
}

/** @param otherHint if no function has a name that is like it. */
function unknownFunction(name: string, offset: number, scope: TemplateScope, otherHint: string): GoTemplateError {
  const meant = nearMiss(name, scope.functions.keys());
  const hint = meant === undefined ? otherHint : `Did you mean "${meant}"?`;
  return new GoTemplateError(`Unknown template function "${name}"`, offset, hint);
}

function checkArgumentCount(
  { name, operands, offset }: Extract<Expression, { kind: "call" }>,
  { parameters, optionalCount = 0, isVariadic = false, usage }: TemplateFunction,
): void {
  const fewest = parameters.length - optionalCount;
  if (operands.length >= fewest && (isVariadic || operands.length <= parameters.length)) return;
  const most = isVariadic ? " or more" : optionalCount > 0 ? ` or ${parameters.length}` : "";
  const noun = parameters.length === 1 && !isVariadic ? "argument" : "arguments";
  throw new GoTemplateError(
    `The template function "${name}" takes ${fewest}${most} ${noun}, not ${operands.length}`,
    offset,
    `Write for example {{${usage}}}`,
  );
}
