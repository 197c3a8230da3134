// What needs no build variable is evaluated when the plan is made, also inside of what does: a mistake is told
// before anything is built.
import { evaluateClosed } from "./evaluate.ts";
import { type Expression, GoTemplateError, type Pipeline, type TemplateNode } from "./syntax.ts";

/** Evaluates the calls in a node that depend on nothing. @param errors gets those that fail. */
export function foldNode(node: TemplateNode, errors: GoTemplateError[]): TemplateNode {
  switch (node.kind) {
    case "action":
      return { ...node, pipeline: foldPipeline(node.pipeline, errors) };
    case "template":
      return node.argument === undefined ? node : { ...node, argument: foldPipeline(node.argument, errors) };
    case "if":
    case "with":
    case "range": {
      const pipeline = foldPipeline(node.pipeline, errors);
      // A function may answer differently at each turn.
      if (node.kind === "range") return { ...node, pipeline };
      const body = node.body.map((inner) => foldNode(inner, errors));
      const otherwise = node.otherwise.map((inner) => foldNode(inner, errors));
      return { ...node, pipeline, body, otherwise };
    }
    default:
      return node;
  }
}

function foldPipeline(pipeline: Pipeline, errors: GoTemplateError[]): Pipeline {
  return { ...pipeline, expression: foldExpression(pipeline.expression, errors) };
}

function foldExpression(expression: Expression, errors: GoTemplateError[]): Expression {
  switch (expression.kind) {
    case "chain":
      return { ...expression, base: foldExpression(expression.base, errors) };
    case "parenthesized":
      return { ...expression, pipeline: foldPipeline(expression.pipeline, errors) };
    case "call":
      return foldCall(expression, errors);
    default:
      return expression;
  }
}

function foldCall(call: Extract<Expression, { kind: "call" }>, errors: GoTemplateError[]): Expression {
  const told = errors.length;
  const folded = { ...call, operands: call.operands.map((operand) => foldExpression(operand, errors)) };
  if (errors.length > told) return folded;
  try {
    const value = evaluateClosed(folded);
    return value === undefined ? folded : { kind: "value", value, offset: call.offset };
  } catch (error) {
    if (!(error instanceof GoTemplateError)) throw error;
    errors.push(error);
    return folded;
  }
}
