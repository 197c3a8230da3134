import { type Dirent, readdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { systemCode } from "../../../base/errors.ts";

/** A pattern that cannot be followed. The message is a clause. */
export class GlobError extends Error {
  override readonly name = "GlobError";
}

// A pattern such as "**" below / would never end.
const ENTRIES_MAX = 100_000;

/**
 * The regular files below a directory that fit a pattern, as paths from the directory on. Links to files count, those to
 * directories are not followed by `**`. A pattern may lead out of the directory: `../*`.
 *
 * @param directory absolute.
 * @throws {GlobError}
 */
export function findFiles(directory: string, pattern: string): string[] {
  // As in Packer, by the text alone: "*/../b" is "b", whatever directories there are.
  const [upwards = "", below = ""] = /^((?:\.\.\/)*)(.*)$/s.exec(join(".", pattern))?.slice(1) ?? [];
  const root = join(directory, upwards);
  const found = new Set<string>();
  for (const alternative of expandBraces(below)) {
    const parts = alternative.split("/").filter((part) => part !== "" && part !== ".");
    if (parts.includes("..")) throw new GlobError(`"${pattern}" has ".." in braces`);
    new Search(root, found).walk("", parts);
  }
  return [...found].map((path) => relative(directory, join(root, path))).sort();
}

class Search {
  readonly #root: string;
  readonly #found: Set<string>;
  #entryCount = 0;

  constructor(root: string, found: Set<string>) {
    this.#root = root;
    this.#found = found;
  }

  walk(below: string, [part, ...rest]: readonly string[]): void {
    if (part === undefined) return;
    const isLast = rest.length === 0;
    if (part === "**" && !isLast) this.walk(below, rest);
    const fits = part === "**" ? () => true : nameTest(part);
    for (const entry of this.#entries(below)) {
      if (!fits(entry.name)) continue;
      const path = join(below, entry.name);
      if (isLast && this.#isFile(path, entry)) this.#found.add(path);
      if (part === "**" && entry.isDirectory()) this.walk(path, [part, ...rest]);
      if (part !== "**" && !isLast && (entry.isDirectory() || entry.isSymbolicLink())) this.walk(path, rest);
    }
  }

  #entries(below: string): Dirent[] {
    try {
      const entries = readdirSync(join(this.#root, below), { withFileTypes: true });
      this.#entryCount += entries.length;
      if (this.#entryCount > ENTRIES_MAX) throw new GlobError(`there are more than ${ENTRIES_MAX} files to look at`);
      return entries;
    } catch (error) {
      // A directory that is not there, or no directory, has no files. So does Packer see what it may not read.
      if (systemCode(error) === undefined) throw error;
      return [];
    }
  }

  #isFile(path: string, entry: Dirent): boolean {
    if (!entry.isSymbolicLink()) return entry.isFile();
    return statSync(join(this.#root, path), { throwIfNoEntry: false })?.isFile() === true;
  }
}

/** `{a,b}` */
function expandBraces(pattern: string): string[] {
  const match = /^((?:[^\\{]|\\.)*)\{([^{}]*)\}(.*)$/s.exec(pattern);
  if (match === null) return [pattern];
  const [, before = "", choices = "", after = ""] = match;
  return choices.split(",").flatMap((choice) => expandBraces(before + choice + after));
}

function nameTest(part: string): (name: string) => boolean {
  let source = "";
  for (const [token, escaped, set] of part.matchAll(/\\(.)|\[(\^?(?:\\.|[^\\\]])+)\]|./gsu)) {
    if (escaped !== undefined) source += escapeRegex(escaped);
    else if (set?.endsWith("-") || token === "[" || token === "{")
      throw new GlobError(`"${part}" is no pattern of file names`);
    else if (set !== undefined) source += `[${set.replaceAll(/\\?(.)/gsu, setLetter)}]`;
    else if (token === "*") source += "[^/]*";
    else if (token === "?") source += "[^/]";
    else source += escapeRegex(token);
  }
  try {
    const expression = new RegExp(`^${source}$`, "su");
    return (name) => expression.test(name);
  } catch {
    // A range such as [z-a].
    throw new GlobError(`"${part}" is no pattern of file names`);
  }
}

/** A "-" between two letters is a range, and a "^" at the begin negates, unless a backslash is before it. */
function setLetter(written: string, letter: string): string {
  const isOperator = written === "-" || written === "^";
  return isOperator ? written : letter.replace(/[\\\]&~|[^-]/g, "\\$&");
}

function escapeRegex(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
