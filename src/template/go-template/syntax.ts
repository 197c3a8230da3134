/** What an expression of a template evaluates to. Integers and fractions are both `number`. */
export type Value = string | number | boolean | ReadonlyMap<string, string>;

/** One thing inside `{{ }}`. `offset` counts UTF-16 code units from the start of the template string. */
export type Expression =
  | { readonly kind: "literal"; readonly value: Value; readonly offset: number }
  /** `.Device`, `.SourceAMITags.Name`: a build variable, and the key in it. */
  | { readonly kind: "field"; readonly path: readonly string[]; readonly offset: number }
  /** A pipeline is a call too: `a | f x` is `f x a`. */
  | {
      readonly kind: "call";
      readonly name: string;
      readonly operands: readonly Expression[];
      readonly offset: number;
    };

/** Text as it stands, or an expression whose value takes its place. */
export type TemplatePart = string | Expression;

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
