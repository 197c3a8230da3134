import { HiddenText } from "./hidden-text.ts";
import { type SecretFinder, Secrets } from "./secrets.ts";
import { excerptAt, hideInExcerpt, type SourceExcerpt } from "./source-excerpt.ts";
import type { SourceLocation } from "./source-location.ts";

/** One thing that is wrong with what somebody wrote: a file, or the command line. */
export interface Problem {
  /** Missing for what the command line said. */
  readonly location?: SourceLocation;
  /** Just behind what is wrong, where the reader knows that. */
  readonly end?: SourceLocation;
  readonly message: string;
  readonly hint?: string;
  /** The line of the location. Missing if its file could not be read. */
  readonly excerpt?: SourceExcerpt;
}

/** What lists of problems about the same files share. */
export interface ProblemSources {
  /** What was read, by the name of the file in locations: what a problem shows of it is not read again. */
  readonly texts: Map<string, string>;
  /** What no problem may tell. */
  readonly hidden: Set<string>;
  /** What no problem may quote, although its own words may be the same. */
  readonly hiddenText: HiddenText;
}

export function createProblemSources(): ProblemSources {
  return { texts: new Map(), hidden: new Set(), hiddenText: new HiddenText() };
}

// Nobody reads more.
const PROBLEMS_MAX = 200;
// Of a value that a message quotes, people need the beginning.
const TEXT_LENGTH_MAX = 1000;
/** Longer than any secret: one that is cut in two could not be recognized. */
const KEPT_LENGTH_MAX = 65_536;

export interface ProblemOptions {
  readonly location?: SourceLocation | undefined;
  /** Just behind what is wrong: the end of a range. Without it, the word or quoted text at `location` is meant. */
  readonly end?: SourceLocation | undefined;
  readonly hint?: string | undefined;
}

/** Collects problems, so that all are told at once. */
export class ProblemList {
  readonly #problems = new Map<string, Problem>();
  readonly #onFull: () => void;
  readonly #sources: ProblemSources;

  /**
   * @param onFull called when there are more than anybody reads; what is more is not kept.
   * @param sources shared by lists that are about the same files.
   */
  constructor({
    onFull = () => {},
    sources = createProblemSources(),
  }: { onFull?: () => void; sources?: ProblemSources } = {}) {
    this.#onFull = onFull;
    this.#sources = sources;
  }

  get isFull(): boolean {
    return this.#problems.size >= PROBLEMS_MAX;
  }

  /** How many are kept. */
  get count(): number {
    return this.#problems.size;
  }

  get isEmpty(): boolean {
    return this.#problems.size === 0;
  }

  /** Keeps a text that was read, so that its problems can show their lines. */
  addSource(file: string, text: string): void {
    this.#sources.texts.set(file, text);
  }

  /** A value that no problem may quote. It may be shown elsewhere: what is made of a secret can be a word as any other. */
  hide(text: string): void {
    this.#sources.hidden.add(text);
  }

  /** A text with such values in it: its words are hidden where a problem quotes something, and in the lines that are shown. */
  hideText(text: string): void {
    this.#sources.hiddenText.add(text);
  }

  /** The lines of a range, or nothing if its file has not been read. */
  linesOf({ start, end }: { readonly start: SourceLocation; readonly end: SourceLocation }): string {
    const lines = this.#sources.texts.get(start.file)?.split("\n") ?? [];
    return lines.slice(start.line - 1, end.line).join("\n");
  }

  /** The same problem at the same place counts once: a provisioner is read for each build. */
  add(message: string, options: ProblemOptions = {}): void {
    const { location, end } = options;
    const text = message.slice(0, KEPT_LENGTH_MAX);
    const hint = options.hint?.slice(0, KEPT_LENGTH_MAX);
    const key = `${placeOf(location)} ${text}`;
    if (this.isFull && !this.#problems.has(key)) {
      this.#problems.set("", { message: `There are more than ${PROBLEMS_MAX}: only the first are told` });
      this.#onFull();
      return;
    }
    this.#problems.set(key, {
      ...(location === undefined ? {} : { location }),
      ...(end === undefined ? {} : { end }),
      message: text,
      ...(hint === undefined ? {} : { hint }),
    });
  }

  /**
   * Problems of the command line first, then each file from top to bottom.
   *
   * @param secrets values that a message must not quote.
   */
  sorted(secrets: Iterable<string>): Problem[] {
    const hidden = new Secrets([...secrets, ...this.#sources.hidden]);
    const { hiddenText } = this.#sources;
    const unquoted = (text: string): string =>
      text.replace(QUOTED, (quoted) => hideInExcerpt({ text: quoted, start: 0, end: 0 }, hiddenText).text);
    const shown = (text: string): string => shortened(unquoted(hidden.hide(text)));
    return [...this.#problems.values()].sort(byPlace).map(({ message, hint, ...rest }) => {
      const excerpt = this.#excerptOf(rest, [hiddenText, hidden]);
      return {
        ...rest,
        message: shown(message),
        ...(hint === undefined ? {} : { hint: shown(hint) }),
        ...(excerpt === undefined ? {} : { excerpt }),
      };
    });
  }

  #excerptOf(
    { location, end }: Pick<Problem, "location" | "end">,
    secrets: readonly SecretFinder[],
  ): SourceExcerpt | undefined {
    const text = location === undefined ? undefined : this.#sources.texts.get(location.file);
    if (location === undefined || text === undefined) return undefined;
    return excerptAt(text, { location, end, secrets });
  }
}

const QUOTED = /"(?:[^"\\]|\\.)*"|`[^`]*`/gs;

function shortened(text: string): string {
  if (text.length <= TEXT_LENGTH_MAX) return text;
  return `${text.slice(0, TEXT_LENGTH_MAX - 100)} … ${text.slice(-80)}`;
}

function placeOf(location: SourceLocation | undefined): string {
  return location === undefined ? "" : `${location.file}:${location.line}:${location.column}`;
}

function byPlace({ location: a }: Problem, { location: b }: Problem): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}
