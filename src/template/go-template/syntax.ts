import type { TemplateFunction } from "./template-function.ts";
import type { Value } from "./value.ts";

/** A number as it stands in a template. Like Go, `1.0` is a fraction that also fits where an integer is wanted. */
export interface NumberLiteral {
  readonly kind: "number";
  readonly value: bigint | number;
  /** As written. */
  readonly text: string;
  readonly offset: number;
}

/** What stands inside `{{ }}`. `offset` counts UTF-16 code units from the start of the template string. */
export type Expression =
  | { readonly kind: "string"; readonly value: string; readonly offset: number }
  | NumberLiteral
  | { readonly kind: "boolean"; readonly value: boolean; readonly offset: number }
  | { readonly kind: "nil"; readonly offset: number }
  /** `.` */
  | { readonly kind: "dot"; readonly offset: number }
  /** `.Device`, `$x.Name`, `(…).Name`: fields of what is before them. */
  | { readonly kind: "chain"; readonly base: Expression; readonly path: readonly string[]; readonly offset: number }
  /** `$`, `$x` */
  | { readonly kind: "variable"; readonly name: string; readonly offset: number }
  /** What is piped into a call is its last operand: `a | f x` is `f x (a)`. */
  | {
      readonly kind: "call";
      readonly name: string;
      readonly operands: readonly Expression[];
      readonly offset: number;
      /** Once it has been looked up. */
      readonly implementation?: TemplateFunction;
    }
  /** `( … )`, and what is piped: its value has lost the freedom of a literal. */
  | { readonly kind: "parenthesized"; readonly pipeline: Pipeline; readonly offset: number }
  /** ``build `Device` ``, once the name is known: the build variable, wherever the dot is. */
  | { readonly kind: "build variable"; readonly name: string; readonly offset: number }
  /** What has been evaluated already. */
  | { readonly kind: "value"; readonly value: Value; readonly offset: number };

/** An expression, and the variables that it declares or assigns: `$x := …`, `$key, $element = …`. */
export interface Pipeline {
  readonly variables: readonly { readonly name: string; readonly offset: number }[];
  readonly isDeclaration: boolean;
  readonly expression: Expression;
  readonly offset: number;
}

export type ControlKind = "if" | "with" | "range";

export type TemplateNode =
  | { readonly kind: "text"; readonly text: string }
  | ActionNode
  | ControlNode
  | TemplateCall
  | { readonly kind: "break" | "continue"; readonly offset: number };

/** An expression whose value is given, or kept in a variable. */
export interface ActionNode {
  readonly kind: "action";
  readonly pipeline: Pipeline;
  readonly offset: number;
}

export interface ControlNode {
  readonly kind: ControlKind;
  readonly pipeline: Pipeline;
  readonly body: readonly TemplateNode[];
  /** After `else`. */
  readonly otherwise: readonly TemplateNode[];
  readonly offset: number;
}

/** `{{template "name" .}}` */
export interface TemplateCall {
  readonly kind: "template";
  readonly name: string;
  /** What the dot is in it. */
  readonly argument: Pipeline | undefined;
  readonly offset: number;
  /** Once it has been looked up. */
  readonly body?: TemplateBody;
}

/** A template that can be run. */
export interface TemplateBody {
  readonly nodes: readonly TemplateNode[];
}

/** A text, and the templates that it defines. */
export interface ParsedTemplate {
  readonly nodes: readonly TemplateNode[];
  readonly definitions: ReadonlyMap<string, readonly TemplateNode[]>;
}

/** A mistake in a template string, at `offset` UTF-16 code units from its start. */
export class GoTemplateError extends Error {
  override readonly name = "GoTemplateError";
  readonly offset: number;
  readonly hint: string | undefined;
  /** The user knows already why: nothing more is to be said. */
  readonly isTold: boolean;

  constructor(message: string, offset: number, hint?: string, isTold = false) {
    super(message);
    this.offset = offset;
    this.hint = hint;
    this.isTold = isTold;
  }
}
