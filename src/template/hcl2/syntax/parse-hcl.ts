import type { ProblemList } from "../../../base/problems.ts";
import { describeToken, hintAfterExpression } from "./describe-token.ts";
import { tokenize } from "./lexer.ts";
import { parseBody } from "./parse-body.ts";
import { parseExpression } from "./parse-expression.ts";
import { parseBareTemplate } from "./parse-template.ts";
import { fileSource, type Source } from "./source.ts";
import type { Body, Expression, TemplateExpression } from "./syntax-tree.ts";
import { SyntaxFailure, TokenCursor } from "./token-cursor.ts";

/**
 * Parses a file in HCL's native syntax: `.pkr.hcl` or `.pkrvars.hcl`.
 *
 * @returns `undefined` if it cannot be understood; `problems` says all that is wrong, with places.
 */
export function parseHcl(file: string, text: string, problems: ProblemList): Body | undefined {
  const source = fileSource(file, text);
  return parseWith(source, { problems, mode: "code" }, (cursor) => parseBody(cursor, 0));
}

/** Parses an expression that is a text of its own: of `-var`, PKR_VAR_ or the console. Line ends mean nothing in it. */
export function parseHclExpression(file: string, text: string, problems: ProblemList): Expression | undefined {
  return parseExpressionSource(fileSource(file, text), problems);
}

export function parseExpressionSource(source: Source, problems: ProblemList): Expression | undefined {
  return parseWith(source, { problems, mode: "code" }, (cursor) => {
    cursor.ignoresNewlines = true;
    const expression = parseExpression(cursor);
    const token = cursor.peek();
    if (token.kind === "end of file") return expression;
    const message = `The value must end before ${describeToken(cursor, token)}`;
    return cursor.fail(token, { message, hint: hintAfterExpression(cursor, token) });
  });
}

/** Parses a text that is a template as a whole: the file of `templatefile`, a string of the JSON form. */
export function parseHclTemplate(source: Source, problems: ProblemList): TemplateExpression | undefined {
  return parseWith(source, { problems, mode: "template" }, parseBareTemplate);
}

function parseWith<Result>(
  source: Source,
  { problems, mode }: { problems: ProblemList; mode: "code" | "template" },
  parse: (cursor: TokenCursor) => Result,
): Result | undefined {
  const cursor = new TokenCursor(source, tokenize(source.text, mode), problems);
  try {
    const result = parse(cursor);
    return cursor.hasComplained ? undefined : result;
  } catch (error) {
    if (!(error instanceof SyntaxFailure)) throw error;
    cursor.complain(error.offset, error);
    return undefined;
  }
}
