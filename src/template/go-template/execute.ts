import { compareText } from "../go-format/compare-text.ts";
import { evaluatePipeline, type Frame } from "./evaluate.ts";
import { type ActionNode, type ControlNode, GoTemplateError, type TemplateCall, type TemplateNode } from "./syntax.ts";
import { spendAt, type TextBudget } from "./text-budget.ts";
import { isTrue, printed, shown, type Value } from "./value.ts";
import { Variables } from "./variables.ts";

// Templates may run themselves.
const DEPTH_MAX = 100;
// What one turn of a loop counts as text, so that one without any ends too.
const TURN_COST = 16;

/** Why a list of nodes ended early. */
type Jump = "break" | "continue" | undefined;

/** What a run gives, piece by piece. */
export interface Output {
  readonly text: string;
  /** Whose value it is. Missing for text as it is written. */
  readonly action?: ActionNode;
}

/** Runs the nodes of a template and keeps what they give. */
export class Execution {
  readonly #budget: TextBudget;
  readonly #outputs: Output[] = [];
  #depth = 0;
  /** Whether a text may be given many times. */
  #repeats = 0;

  /** @param budget of what is given in loops and by templates. */
  constructor(budget: TextBudget) {
    this.#budget = budget;
  }

  get outputs(): readonly Output[] {
    return this.#outputs;
  }

  /** @throws {GoTemplateError} */
  run(nodes: readonly TemplateNode[], frame: Frame): Jump {
    for (const node of nodes) {
      const jump = this.#node(node, frame);
      if (jump !== undefined) return jump;
    }
    return undefined;
  }

  #node(node: TemplateNode, frame: Frame): Jump {
    switch (node.kind) {
      case "text":
        this.#write({ text: node.text });
        return undefined;
      case "action": {
        const value = evaluatePipeline(node.pipeline, frame);
        if (node.pipeline.variables.length === 0) this.#write({ text: printed(value), action: node });
        return undefined;
      }
      case "if":
      case "with":
        return this.#choose(node, frame);
      case "range":
        return this.#range(node, frame);
      case "template":
        this.#call(node, frame);
        return undefined;
      default:
        return node.kind;
    }
  }

  #write(output: Output): void {
    if (this.#repeats > 0) spendAt(this.#budget, output.text.length, output.action?.offset ?? 0);
    this.#outputs.push(output);
  }

  #choose(node: ControlNode, frame: Frame): Jump {
    const inner = { ...frame, variables: new Variables(frame.variables) };
    const value = evaluatePipeline(node.pipeline, inner);
    const dot = node.kind === "with" && isTrue(value) ? value : frame.dot;
    const variables = new Variables(inner.variables);
    return this.run(isTrue(value) ? node.body : node.otherwise, { ...inner, dot, variables });
  }

  #range(node: ControlNode, frame: Frame): Jump {
    const { pipeline, body, otherwise, offset } = node;
    const variables = new Variables(frame.variables);
    const value = evaluatePipeline({ ...pipeline, variables: [] }, { ...frame, variables });
    let turns = 0;
    this.#repeats++;
    for (const [key, element] of elementsOf(value, node)) {
      spendAt(this.#budget, TURN_COST, offset);
      turns++;
      const turn = new Variables(variables);
      const values = pipeline.variables.length === 2 ? [key, element] : [element];
      for (const [index, { name }] of pipeline.variables.entries()) {
        if (pipeline.isDeclaration) turn.declare(name, values[index] ?? null);
        else turn.assign(name, values[index] ?? null);
      }
      if (this.run(body, { ...frame, dot: element, variables: turn }) === "break") break;
    }
    this.#repeats--;
    if (turns > 0) return undefined;
    return this.run(otherwise, { ...frame, variables: new Variables(variables) });
  }

  #call({ name, argument, body, offset }: TemplateCall, frame: Frame): void {
    if (body === undefined) throw new TypeError(`The template "${name}" has not been looked up`);
    if (this.#depth >= DEPTH_MAX) {
      throw new GoTemplateError(`Templates run each other more than ${DEPTH_MAX} deep`, offset);
    }
    const dot = argument === undefined ? null : evaluatePipeline(argument, frame);
    this.#depth++;
    this.#repeats++;
    spendAt(this.#budget, TURN_COST, offset);
    this.run(body.nodes, { ...frame, dot, variables: new Variables(undefined, new Map([["$", dot]])) });
    this.#repeats--;
    this.#depth--;
  }
}

/** What `range` goes over: the entries of a map in the order of its keys, or the numbers below one. */
function* elementsOf(value: Value, { pipeline }: ControlNode): Generator<[Value, Value]> {
  const { offset } = pipeline.expression;
  if (value instanceof Map) {
    for (const key of [...value.keys()].sort(compareText)) yield [key, value.get(key) ?? null];
  } else if (typeof value === "bigint") {
    if (pipeline.variables.length > 1) {
      throw new GoTemplateError(`"range" over a number, ${value}, gives one variable, not two`, offset);
    }
    for (let number = 0n; number < value; number++) yield [number, number];
  } else if (value !== null) {
    throw new GoTemplateError(`"range" goes over a map or a whole number, not ${shown(value)}`, offset);
  }
}
