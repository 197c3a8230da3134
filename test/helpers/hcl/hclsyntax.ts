// Packer's own parser of HCL2, compiled to WebAssembly: the judge of ours.
import { createRequire } from "node:module";
import { join } from "node:path";
import { ROOT } from "../source-files.ts";

/** Not its own types, which bring those of browsers into all of our code. */
interface Hcl2Json {
  getExpressionAst(file: string, text: string): Promise<unknown>;
  parse(file: string, text: string): Promise<Record<string, unknown>>;
}

const require = createRequire(join(ROOT, "package.json"));
// Its file of WebAssembly stands beside it: no bundler may move it.
const { getExpressionAst, parse } = require("@cdktn/hcl2json") as Hcl2Json;

interface GoNode {
  readonly type: string;
  readonly children: readonly GoNode[];
  readonly meta?: Readonly<Record<string, unknown>>;
}

/** @returns what kind of tree it makes of an expression, as `outline` writes it of ours; `undefined` if it refuses it. */
export async function goOutline(text: string): Promise<string | undefined> {
  try {
    return outlineGo((await getExpressionAst("test.hcl", text)) as GoNode);
  } catch {
    return undefined;
  }
}

/**
 * @returns what it makes of a file as JSON, where texts are decoded and expressions are as written; `undefined` if it
 * refuses it.
 */
export async function goFile(text: string): Promise<Record<string, unknown> | undefined> {
  try {
    return await parse("test.hcl", text);
  } catch {
    return undefined;
  }
}

const GO_OPERATORS: Readonly<Record<string, string>> = {
  ...{ logicalOr: "||", logicalAnd: "&&", equal: "==", notEqual: "!=", greaterThan: ">", greaterThanOrEqual: ">=" },
  ...{ lessThan: "<", lessThanOrEqual: "<=", add: "+", subtract: "-", multiply: "*", divide: "/", modulo: "%" },
  ...{ negate: "-", logicalNot: "!" },
};

function outlineGo(node: GoNode): string {
  const { type, meta = {} } = node;
  const children = node.children.map(outlineGo);
  const list = (name: string, ...more: unknown[]) => `(${[name, ...more, ...children].join(" ")})`;
  switch (type) {
    case "literalValue":
      return meta["type"] === "string" ? "text" : String(meta["value"]);
    case "scopeTraversal":
    case "relativeTraversal":
      return list(type === "scopeTraversal" ? "traverse" : "traverse-from", ...stepsOf(meta));
    case "function":
      return list("call", meta["name"], ...(meta["expandedFinalArgument"] === true ? ["..."] : []));
    case "binaryOp":
    case "unaryOp": {
      const name = String(meta["operator"]);
      return list(GO_OPERATORS[name] ?? name);
    }
    case "for": {
      const names = [meta["keyVar"], meta["valVar"]].filter((name) => name !== undefined && name !== "");
      return list("for", `${names.join(",")}${meta["groupedValue"] === true ? "..." : ""}`);
    }
    // Parentheses, the key of an object, and what stands for the element in a splat.
    case "":
      return node.children.length === 0 ? "name" : list("in");
    default:
      return list(type);
  }
}

function stepsOf(meta: Readonly<Record<string, unknown>>): string[] {
  const steps = meta["traversal"] as readonly { type: string; segment: string }[];
  return steps.map(({ segment }) => stepOf(segment));
}

/** An index that is text, and a name, are different things to Go; a legacy index is one. */
export function stepOf(segment: string): string {
  return /^\d/.test(segment) ? `[${Number(segment)}]` : segment;
}
