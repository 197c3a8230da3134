// What an HCL2 file says, before anything of it is evaluated. Both forms of HCL, native and JSON, give these.
import type { JsonObject } from "../../../base/json/json-value.ts";
import type { SourceLocation } from "../../../base/source-location.ts";

/** Where a piece of syntax stands. */
export interface SourceRange {
  readonly start: SourceLocation;
  /** Just behind its last character. */
  readonly end: SourceLocation;
}

interface Ranged {
  readonly range: SourceRange;
}

/** What stands in a file, or between the braces of a block. */
export interface Body extends Ranged {
  /** In the order of the file; a name that is there twice has been told as a problem. */
  readonly attributes: ReadonlyMap<string, Attribute>;
  readonly blocks: readonly Block[];
  /**
   * Of the JSON form, if nobody has said yet which of its members are blocks: all are among the attributes, and
   * `decideBlocks` makes another body of it.
   */
  readonly undecided?: JsonObject;
}

/** `name = value` */
export interface Attribute extends Ranged {
  readonly name: string;
  readonly nameRange: SourceRange;
  readonly value: Expression;
}

/** `type "label" … { … }` */
export interface Block extends Ranged {
  readonly type: string;
  readonly typeRange: SourceRange;
  readonly labels: readonly { readonly text: string; readonly range: SourceRange }[];
  readonly body: Body;
}

export type Expression =
  | LiteralExpression
  | TemplateExpression
  | VariableExpression
  | AttributeExpression
  | IndexExpression
  | SplatExpression
  | CallExpression
  | ConditionalExpression
  | BinaryExpression
  | UnaryExpression
  | TupleExpression
  | ObjectExpression
  | ForExpression
  | ParenthesesExpression;

export interface LiteralExpression extends Ranged {
  readonly kind: "literal";
  /** A number is the text that was written: `12345678901234567890`, `1.5e3`. Texts are templates. */
  readonly value: { readonly number: string } | boolean | null;
}

/** Text, quoted or as a heredoc: also one without anything to evaluate, which is a single part. */
export interface TemplateExpression extends Ranged {
  readonly kind: "template";
  /** Empty for "". One interpolation alone is its value, whatever its type. */
  readonly parts: readonly TemplatePart[];
}

export type TemplatePart =
  | (Ranged & {
      readonly kind: "text";
      readonly text: string;
      /** The place of a character of the text, by its offset in UTF-16 code units. */
      readonly locate: (offset: number) => SourceLocation;
    })
  | (Ranged & { readonly kind: "interpolation"; readonly expression: Expression })
  | (Ranged & {
      readonly kind: "if";
      readonly condition: Expression;
      readonly then: readonly TemplatePart[];
      readonly else: readonly TemplatePart[];
    })
  | (Ranged & {
      readonly kind: "for";
      readonly keyName: string | undefined;
      readonly valueName: string;
      readonly collection: Expression;
      readonly body: readonly TemplatePart[];
    });

/** A name that a reference begins with: `var`, `local`, `source`, `each`, or what a `for` has named. */
export interface VariableExpression extends Ranged {
  readonly kind: "variable";
  readonly name: string;
}

/** `of.name`; also `of.0`, whose name is "0". */
export interface AttributeExpression extends Ranged {
  readonly kind: "attribute";
  readonly of: Expression;
  readonly name: string;
  readonly nameRange: SourceRange;
}

export interface IndexExpression extends Ranged {
  readonly kind: "index";
  readonly of: Expression;
  readonly key: Expression;
}

/** `of[*].a[0]` and `of.*.a`: `each` is evaluated for every element, which it calls by a "splat-item" variable. */
export interface SplatExpression extends Ranged {
  readonly kind: "splat";
  readonly of: Expression;
  /** `SPLAT_ITEM` stands in it for the element. */
  readonly each: Expression;
}

/** The name of the variable that stands for the element in a splat. No name of a file can be this. */
export const SPLAT_ITEM = "*";

export interface CallExpression extends Ranged {
  readonly kind: "call";
  readonly name: string;
  readonly nameRange: SourceRange;
  readonly arguments: readonly Expression[];
  /** `f(list...)`: the last argument has the rest of the arguments in it. */
  readonly expandsLast: boolean;
}

export interface ConditionalExpression extends Ranged {
  readonly kind: "conditional";
  readonly condition: Expression;
  readonly then: Expression;
  readonly else: Expression;
}

export type BinaryOperator = "||" | "&&" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "+" | "-" | "*" | "/" | "%";

export interface BinaryExpression extends Ranged {
  readonly kind: "binary";
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
}

export interface UnaryExpression extends Ranged {
  readonly kind: "unary";
  readonly operator: "-" | "!";
  readonly operand: Expression;
}

export interface TupleExpression extends Ranged {
  readonly kind: "tuple";
  readonly items: readonly Expression[];
}

export interface ObjectExpression extends Ranged {
  readonly kind: "object";
  readonly items: readonly {
    /** A bare name is a template with that text; `(name)` is parentheses. */
    readonly key: Expression;
    readonly value: Expression;
  }[];
}

/** `[for k, v in c : value if condition]`, `{for k, v in c : key => value... if condition}` */
export interface ForExpression extends Ranged {
  readonly kind: "for";
  readonly keyName: string | undefined;
  readonly valueName: string;
  readonly collection: Expression;
  /** Missing for a list. */
  readonly key: Expression | undefined;
  readonly value: Expression;
  readonly condition: Expression | undefined;
  /** `...`: the values of one key become a list. */
  readonly isGrouping: boolean;
}

export interface ParenthesesExpression extends Ranged {
  readonly kind: "parentheses";
  readonly expression: Expression;
}
