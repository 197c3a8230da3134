import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");

export interface SourceFile {
  /** From the repository's root: "src/base/errors.ts". */
  readonly path: string;
  readonly text: string;
  /** The text with its comment lines emptied; lines keep their numbers. */
  readonly code: string;
}

/** Every TypeScript file under a directory of the repository, in a stable order. */
export async function readSources(directory: string): Promise<SourceFile[]> {
  const entries = await readdir(join(ROOT, directory), { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .sort();
  return Promise.all(
    paths.map(async (path) => {
      const text = await readFile(join(ROOT, path), "utf8");
      return { path, text, code: withoutCommentLines(text) };
    }),
  );
}

/**
 * Empties the lines that hold nothing but a comment.
 *
 * Lines are enough because the formatter lays every file out the same way, and
 * the check that runs it runs beside these tests.
 */
export function withoutCommentLines(text: string): string {
  let isInBlock = false;
  return text
    .split("\n")
    .map((line) => {
      const trimmed = line.trim();
      const isComment = isInBlock || trimmed.startsWith("//") || trimmed.startsWith("/*");
      if (isInBlock ? trimmed.includes("*/") : trimmed.startsWith("/*") && !trimmed.includes("*/"))
        isInBlock = !isInBlock;
      return isComment ? "" : line;
    })
    .join("\n");
}

export interface Import {
  readonly specifier: string;
  /** Nothing of it is left when the program runs. */
  readonly isTypeOnly: boolean;
  readonly line: number;
}

// A statement begins its line, after the formatter; what it names may go over several lines.
const STATIC = /^(?:import|export)\s(type\s)?(?:[^;"'`]*?\sfrom\s)?"([^"]+)"/gm;
// Also `import("x").Y` in a type.
const DYNAMIC = /\b(?:import|require|import\.meta\.resolve)\(\s*(?:"([^"]+)"|([^")\s][^)]*))/g;

/** The modules that a file names, statically or not. */
export function importsOf(code: string): Import[] {
  const lineOf = (index: number): number => code.slice(0, index).split("\n").length;
  const found: Import[] = [];
  for (const match of code.matchAll(STATIC)) {
    const [statement, type, specifier = ""] = match;
    const names = /\{([^}]*)\}/.exec(statement)?.[1]?.split(",") ?? [];
    const areTypes = names.some((name) => name.trim() !== "") && names.every((name) => /^\s*(type\s|$)/.test(name));
    found.push({ specifier, isTypeOnly: type !== undefined || areTypes, line: lineOf(match.index) });
  }
  for (const match of code.matchAll(DYNAMIC)) {
    const [, literal, expression] = match;
    found.push({ specifier: literal ?? `(${expression})`, isTypeOnly: false, line: lineOf(match.index) });
  }
  return found;
}
