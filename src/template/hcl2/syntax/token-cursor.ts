import type { ProblemList } from "../../../base/problems.ts";
import { BlockEnds } from "./block-ends.ts";
import { rangeOf, type Source } from "./source.ts";
import type { SourceRange } from "./syntax-tree.ts";
import type { Complaint, Token } from "./token.ts";

/** The parser calls itself for each level. Real files have about ten. */
const DEPTH_MAX = 200;
/** Whoever walks the tree calls itself for each level, too, and a chain of operators is a level for each. */
const HEIGHT_MAX = 400;

/** Ends the parsing of an argument or a block: what follows it is parsed nevertheless. */
export class SyntaxFailure extends Error {
  readonly offset: number;
  readonly hint: string | undefined;

  constructor(offset: number, { message, hint }: Complaint) {
    super(message);
    this.name = "SyntaxFailure";
    this.offset = offset;
    this.hint = hint;
  }
}

/** Goes through the tokens of a text, and knows what the parser is in. */
export class TokenCursor {
  readonly source: Source;
  readonly problems: ProblemList;
  readonly tokens: readonly Token[];
  /** Of the next token. */
  index = 0;
  /** Whether line ends mean nothing, as in parentheses. */
  ignoresNewlines = false;
  /** How many blocks and expressions the parser is in. */
  depth = 0;
  /** How high the tree of the expression is that was parsed last. */
  height = 0;
  hasComplained = false;
  readonly blocks = new BlockEnds();

  constructor(source: Source, tokens: readonly Token[], problems: ProblemList) {
    this.source = source;
    this.tokens = tokens;
    this.problems = problems;
  }

  /** The next token, without going behind it. There is always one: the last is the end of the file. */
  peek(): Token {
    return this.at(this.#nextIndex());
  }

  /** The token behind the next one. */
  peekSecond(): Token {
    const { index } = this;
    this.index = this.#nextIndex() + 1;
    const second = this.peek();
    this.index = index;
    return second;
  }

  read(): Token {
    const index = this.#nextIndex();
    const token = this.at(index);
    this.index = Math.min(index + 1, this.tokens.length - 1);
    return token;
  }

  at(index: number): Token {
    const token = this.tokens[index] ?? this.tokens[this.tokens.length - 1];
    if (token === undefined) throw new RangeError("There is no token, not even the end of the file");
    return token;
  }

  #nextIndex(): number {
    let { index } = this;
    if (this.ignoresNewlines) while (this.at(index).kind === "newline") index++;
    return index;
  }

  textOf(token: Token): string {
    return this.source.text.slice(token.start, token.end);
  }

  isWord(token: Token, word: string): boolean {
    return token.kind === "identifier" && this.textOf(token) === word;
  }

  /** Where the last token that was read ends, in UTF-16 code units. */
  get readEnd(): number {
    return this.index === 0 ? 0 : this.at(this.index - 1).end;
  }

  /** From `start` to the end of what was read. */
  rangeFrom(start: number): SourceRange {
    return rangeOf(this.source, start, this.readEnd);
  }

  rangeOf({ start, end }: { start: number; end: number }): SourceRange {
    return rangeOf(this.source, start, end);
  }

  /** Runs `parse` with other rules for line ends. A failure leaves them to whoever catches it. */
  withNewlines<Result>(rule: "ignored" | "kept", parse: () => Result): Result {
    const before = this.ignoresNewlines;
    this.ignoresNewlines = rule === "ignored";
    const result = parse();
    this.ignoresNewlines = before;
    return result;
  }

  /** @throws SyntaxFailure if it is nested too deep. */
  deepen(): void {
    if (++this.depth > DEPTH_MAX) this.fail(this.peek(), { message: `Nested deeper than ${DEPTH_MAX} levels` });
  }

  /** As `deepen`, for a block: what follows one that is too deep is left out, for nobody could tell where it ends. */
  deepenBlock(): void {
    try {
      this.deepen();
    } catch (error) {
      this.blocks.giveUp();
      this.index = this.tokens.length - 1;
      throw error;
    }
  }

  /** Says that the last expression stands over others. @param below how high the highest of them is. */
  grow(below: number): void {
    this.height = below + 1;
    if (this.height > HEIGHT_MAX) {
      this.fail(this.peek(), { message: `An expression has more than ${HEIGHT_MAX} levels`, hint: "Use locals" });
    }
  }

  /** @throws SyntaxFailure always: with what the lexer has to say, if the token is none. */
  fail(token: Pick<Token, "start"> & Partial<Token>, complaint: Complaint): never {
    throw new SyntaxFailure(token.start, token.complaint ?? complaint);
  }

  /** Tells a problem after which parsing can go on: to the end of the file, if there are more than anybody reads. */
  complain(offset: number, complaint: Complaint): void {
    this.hasComplained = true;
    this.tell(offset, complaint);
  }

  /** As `complain`, of what does not change what the rest means: it is evaluated nevertheless, for its own problems. */
  tell(offset: number, { message, hint }: Complaint): void {
    if (this.problems.isFull) this.index = this.tokens.length - 1;
    this.problems.add(message, { location: this.source.locate(offset), hint });
  }

  /** "line 3", or "column 7" if it is the same line. */
  describePlace(offset: number, from: number): string {
    const place = this.source.locate(offset);
    return place.line === this.source.locate(from).line ? `column ${place.column}` : `line ${place.line}`;
  }
}
