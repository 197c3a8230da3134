import type { Token } from "./lexer.ts";
import { type Expression, GoTemplateError, type Pipeline } from "./syntax.ts";
import { describe, type TokenReader } from "./token-reader.ts";

/**
 * Parses a pipeline up to what cannot belong to it.
 *
 * @param variablesMax how many variables it may declare: `range` has two.
 * @throws {GoTemplateError}
 */
export function parsePipeline(tokens: TokenReader, variablesMax = 1): Pipeline {
  const { offset } = tokens.peek();
  const { variables, isDeclaration } = parseVariables(tokens, variablesMax);
  return { variables, isDeclaration, expression: parseStages(tokens), offset };
}

function parseVariables(
  tokens: TokenReader,
  variablesMax: number,
): { variables: Pipeline["variables"]; isDeclaration: boolean } {
  const first = tokens.peek();
  const isList = variablesMax > 1 && tokens.isPunctuation(",", 1);
  if (first.kind !== "variable" || !(isList || isAssignment(tokens, 1))) return { variables: [], isDeclaration: false };
  const variables: { name: string; offset: number }[] = [];
  for (;;) {
    const token = tokens.next();
    if (token.kind !== "variable") throw new GoTemplateError(`Unexpected ${describe(token)}`, token.offset);
    variables.push({ name: token.name, offset: token.offset });
    if (!tokens.take(",")) break;
    if (variables.length >= variablesMax) {
      throw new GoTemplateError(`More than ${variablesMax} variables`, tokens.peek().offset);
    }
  }
  const isDeclaration = tokens.take(":=");
  if (!isDeclaration && !tokens.take("=")) {
    throw new GoTemplateError('A ":=" is missing after the variables', tokens.peek().offset);
  }
  return { variables, isDeclaration };
}

function isAssignment(tokens: TokenReader, ahead: number): boolean {
  return tokens.isPunctuation(":=", ahead) || tokens.isPunctuation("=", ahead);
}

/** `a | f x` is the call `f x (a)`. */
function parseStages(tokens: TokenReader): Expression {
  let value = parseCommand(tokens);
  while (tokens.take("|")) {
    const stage = tokens.peek();
    const next = parseCommand(tokens);
    if (next.kind !== "call") throw new GoTemplateError(`Cannot pipe into ${describe(stage)}`, stage.offset);
    value = { ...next, operands: [...next.operands, parenthesized(value)] };
  }
  return value;
}

function parenthesized(expression: Expression): Expression {
  const { offset } = expression;
  return { kind: "parenthesized", pipeline: { variables: [], isDeclaration: false, expression, offset }, offset };
}

/** An operand, or a function's name and its operands. */
function parseCommand(tokens: TokenReader): Expression {
  const first = tokens.peek();
  const head = parseOperand(tokens);
  const operands: Expression[] = [];
  while (startsOperand(tokens.peek())) operands.push(parseOperand(tokens));
  if (head.kind === "call") return { ...head, operands };
  if (operands.length > 0) {
    const what = describe(first);
    throw new GoTemplateError(`${capitalized(what)} is not a function and takes no arguments`, first.offset);
  }
  if (head.kind === "nil")
    throw new GoTemplateError('"nil" stands only among the arguments of a function', head.offset);
  return head;
}

/** What follows an operand without a blank does not belong to it, as in Go. */
function startsOperand(token: Token): boolean {
  if (token.kind === "end" || (token.kind === "punctuation" && token.text !== "(")) return false;
  if (!token.isAfterSpace) throw new GoTemplateError(`A blank is missing before ${describe(token)}`, token.offset);
  return true;
}

function parseOperand(tokens: TokenReader): Expression {
  const start = tokens.peek();
  const base = parseTerm(tokens);
  const path: string[] = [];
  for (let token = tokens.peek(); token.kind === "field" && !token.isAfterSpace; token = tokens.peek()) {
    path.push(token.name);
    tokens.next();
  }
  if (path.length === 0) return base;
  if (base.kind === "chain") return { ...base, path: [...base.path, ...path] };
  if (["string", "number", "boolean", "nil", "dot"].includes(base.kind)) {
    throw new GoTemplateError(`${capitalized(describe(start))} has no field ".${path[0]}"`, start.offset);
  }
  return { kind: "chain", base, path, offset: base.offset };
}

function parseTerm(tokens: TokenReader): Expression {
  const token = tokens.next();
  const { offset } = token;
  switch (token.kind) {
    case "string":
      return { kind: "string", value: token.value, offset };
    case "number":
      return { kind: "number", value: token.value, text: token.text, offset };
    case "dot":
      return { kind: "dot", offset };
    case "field":
      return { kind: "chain", base: { kind: "dot", offset }, path: [token.name], offset };
    case "variable":
      return { kind: "variable", name: token.name, offset };
    case "identifier":
      if (token.name === "true" || token.name === "false") {
        return { kind: "boolean", value: token.name === "true", offset };
      }
      if (token.name === "nil") return { kind: "nil", offset };
      return { kind: "call", name: token.name, operands: [], offset };
    case "punctuation":
      if (token.text !== "(") throw new GoTemplateError(`Unexpected ${describe(token)}`, offset);
      return parseParentheses(tokens, offset);
    case "end":
      throw new GoTemplateError("A value is missing", offset);
  }
}

function parseParentheses(tokens: TokenReader, offset: number): Expression {
  const pipeline = parsePipeline(tokens);
  if (!tokens.take(")")) throw new GoTemplateError('Unclosed "("', offset);
  return { kind: "parenthesized", pipeline, offset };
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
