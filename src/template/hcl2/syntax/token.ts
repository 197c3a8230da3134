// The tokens of HCL2's native syntax.

export type Punctuation =
  | ("{" | "}" | "[" | "]" | "(" | ")" | "." | "," | ":" | "?" | "=" | "=>" | "..." | "::")
  | ("+" | "-" | "*" | "/" | "%" | "!" | "==" | "!=" | "<" | ">" | "<=" | ">=" | "&&" | "||");

export type TokenKind =
  | Punctuation
  | "identifier"
  | "number"
  /** The end of a line of code, or of a comment that goes to it. */
  | "newline"
  /** Of a template, as written: a quoted one's has escapes. Of a heredoc, at most a line. */
  | "text"
  | "open quote"
  | "close quote"
  /** `<<EOT` or `<<-EOT`, with the end of its line. */
  | "open heredoc"
  | "close heredoc"
  /** `${` or `${~` */
  | "open interpolation"
  /** `%{` or `%{~` */
  | "open directive"
  /** `}` or `~}`, where it ends one of these two. */
  | "close sequence"
  | "invalid"
  | "end of file";

/** What is wrong with a text that is no token. */
export interface Complaint {
  readonly message: string;
  readonly hint?: string | undefined;
}

export interface Token {
  readonly kind: TokenKind;
  /** In UTF-16 code units. */
  readonly start: number;
  readonly end: number;
  /** Of an "invalid" one. */
  readonly complaint: Complaint | undefined;
}
