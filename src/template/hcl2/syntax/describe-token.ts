import type { Token } from "./token.ts";
import type { TokenCursor } from "./token-cursor.ts";

const LENGTH_MAX = 40;

/** What stands there, for a message: `"provisioner"`, `the end of the line`. */
export function describeToken(cursor: TokenCursor, token: Token): string {
  switch (token.kind) {
    case "newline":
      return "the end of the line";
    case "end of file":
      return "the end";
    case "open quote":
    case "close quote":
      return "a quote";
    case "open heredoc":
      return "a heredoc";
    default: {
      const text = cursor.textOf(token);
      return `"${text.length > LENGTH_MAX ? `${text.slice(0, LENGTH_MAX)}…` : text}"`;
    }
  }
}

/** What somebody may have meant by a token that cannot follow an expression. */
export function hintAfterExpression(cursor: TokenCursor, token: Token): string | undefined {
  switch (token.kind) {
    case "identifier": {
      const word = cursor.textOf(token);
      if (word === "and" || word === "or") return `The logical "${word}" is "${word === "and" ? "&&" : "||"}"`;
      if (word === "if" || word === "unless") return "A condition is written: condition ? value : other value";
      return undefined;
    }
    case "=":
      return 'Values are compared with "=="';
    case "=>":
      return 'At least is ">="; "=>" stands only in a for expression that makes an object';
    case "{":
      return 'A block has no "=", and a function\'s arguments stand in parentheses';
    default:
      return undefined;
  }
}
