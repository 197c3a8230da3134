import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TemplatePlan } from "../../src/template/build-plan.ts";
import { type ReadTemplateOptions, readTemplate, TemplateError } from "../../src/template/read-template.ts";
import { problemLine, START } from "./template-text.ts";

type Options = Partial<ReadTemplateOptions>;

/** Files by their names. The template is the directory; a text alone is the file "t.pkr.hcl", and the template that file. */
export type HclFiles = string | Readonly<Record<string, string>>;

/** A source and a build that are good. */
export const SOURCE = 'source "amazon-chroot" "web" {\n  ami_name = "web"\n  source_ami = "ami-1"\n}\n';
export const BUILD = 'build {\n  sources = ["source.amazon-chroot.web"]\n}\n';

/** @throws {Error} with all problems in its message, and the TemplateError as its cause. */
export async function readHcl(files: HclFiles, options: Options = {}): Promise<TemplatePlan> {
  return withFiles(files, (path, directory) => {
    const varFiles = (options.varFiles ?? []).map((file) => join(directory, file));
    const rest = { variables: [], only: [], except: [], environment: {}, startTime: START, toolVersion: "1.2.3" };
    return readTemplate(path, { ...rest, ...options, varFiles }).catch((error: unknown) => {
      if (!(error instanceof TemplateError)) throw error;
      throw new Error(error.problems.map(problemLine).join("\n"), { cause: error });
    });
  });
}

/** "3:5 message | hint" for each problem, with the file before it if there are several. */
export async function hclProblems(files: HclFiles, options: Options = {}): Promise<string[]> {
  let directory = "";
  try {
    await withFiles(files, async (path, where) => {
      directory = where;
      const varFiles = (options.varFiles ?? []).map((file) => join(where, file));
      const rest = { variables: [], only: [], except: [], environment: {}, startTime: START };
      await readTemplate(path, { ...rest, ...options, varFiles });
    });
    return [];
  } catch (error) {
    assert.ok(error instanceof TemplateError, String(error instanceof Error ? error.stack : error));
    const prefix = typeof files === "string" ? join(directory, "t.pkr.hcl:") : join(directory, "/");
    return error.problems.map((problem) => problemLine(problem).replaceAll(prefix, ""));
  }
}

/** Warnings of a good template. */
export async function hclWarnings(files: HclFiles, options: Options = {}): Promise<string[]> {
  const { warnings } = await readHcl(files, options);
  return warnings.map((warning) => problemLine(warning).replace(/^\/\S*\//, ""));
}

async function withFiles<T>(files: HclFiles, work: (path: string, directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "amibake-hcl-"));
  try {
    const all = typeof files === "string" ? { "t.pkr.hcl": files } : files;
    for (const [name, text] of Object.entries(all)) {
      const file = join(directory, name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
    }
    return await work(typeof files === "string" ? join(directory, "t.pkr.hcl") : directory, directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
