import { statSync } from "node:fs";
import { resolve } from "node:path";
import { messageOf, systemCode } from "../../base/errors.ts";
import type { ProblemList } from "../../base/problems.ts";
import type { SourceLocation } from "../../base/source-location.ts";
import type { Deferred } from "../deferred.ts";
import { plannedText } from "../schema/fields.ts";
import type { FieldPath } from "./conform.ts";
import type { TemplateLanguage } from "./template-language.ts";

type Locate = (path: FieldPath) => SourceLocation;

interface SourceFile {
  readonly path: string;
  readonly isScript: boolean;
  readonly location: SourceLocation;
}

/** The files that provisioners will need. They are looked for before anything is built. */
export class SourceFileChecks {
  readonly #files: SourceFile[] = [];

  /** @param values of a `shell` provisioner; some may be wrong, which has been told. */
  addScripts({ script, scripts }: Readonly<Record<string, unknown>>, locate: Locate): void {
    this.#add(script, true, locate(["script"]));
    for (const [index, path] of listOf(scripts).entries()) this.#add(path, true, locate(["scripts", index]));
  }

  /** What is generated, or known only while the build runs, cannot be looked for. */
  addUploads({ source, sources, direction, generated }: Readonly<Record<string, unknown>>, locate: Locate): void {
    if (direction === "download" || generated === true) return;
    this.#add(plannedTextOf(source), false, locate(["source"]));
    for (const [index, text] of listOf(sources).entries())
      this.#add(plannedTextOf(text), false, locate(["sources", index]));
  }

  #add(path: unknown, isScript: boolean, location: SourceLocation): void {
    if (typeof path === "string") this.#files.push({ path, isScript, location });
  }

  run({
    problems,
    templateDirectory,
    language,
  }: {
    problems: ProblemList;
    templateDirectory: string | undefined;
    language: TemplateLanguage;
  }): void {
    for (const { path, isScript, location } of this.#files) {
      const problem = problemOf(path, isScript);
      if (problem === undefined) continue;
      problems.add(problem, { location, hint: templateDirectoryHint(path, templateDirectory, language) });
    }
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function plannedTextOf(value: unknown): string | undefined {
  return typeof value === "object" && value !== null && "render" in value ? plannedText(value as Deferred) : undefined;
}

function problemOf(path: string, isScript: boolean): string | undefined {
  if (path.includes("\0")) return `The path ${JSON.stringify(path)} has a NUL in it, which no file's name can have`;
  try {
    const isDirectory = statSync(path).isDirectory();
    return isScript && isDirectory ? `The script "${path}" is a directory` : undefined;
  } catch (error) {
    const isMissing = systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR";
    return isMissing ? `There is no file "${path}"` : `Cannot look at the file "${path}": ${messageOf(error)}`;
  }
}

/** Many expect paths to start where the template is. */
function templateDirectoryHint(
  path: string,
  templateDirectory: string | undefined,
  language: TemplateLanguage,
): string | undefined {
  if (templateDirectory === undefined || path.startsWith("/")) return undefined;
  if (problemOf(resolve(templateDirectory, path), false) !== undefined) return undefined;
  return `Paths start at the working directory; this one is beside the template: write ${language.besideTemplate(path)}`;
}
