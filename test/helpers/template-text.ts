import assert from "node:assert/strict";
import { Readable } from "node:stream";
import type { Problem } from "../../src/base/problems.ts";
import type { TemplatePlan } from "../../src/template/build-plan.ts";
import { type ReadTemplateOptions, readTemplate, TemplateError } from "../../src/template/read-template.ts";

/** When `readTemplateText` says that it is. */
export const START = new Date("2026-11-23T09:22:15Z");

export function readTemplateText(text: string, options: Partial<ReadTemplateOptions> = {}): Promise<TemplatePlan> {
  return readTemplate("-", {
    variables: [],
    varFiles: [],
    only: [],
    except: [],
    environment: { HOME: "/root" },
    startTime: START,
    stdin: () => Readable.from([Buffer.from(text)]),
    ...options,
  });
}

/** "3:5 message | hint" for each problem; the file only if it is not the template. */
export async function problemsOf(text: string, options: Partial<ReadTemplateOptions> = {}): Promise<string[]> {
  try {
    await readTemplateText(text, options);
    return [];
  } catch (error) {
    assert.ok(error instanceof TemplateError, String(error));
    assert.equal(error.fault, "usage");
    return error.problems.map(problemLine);
  }
}

export function problemLine({ location, message, hint }: Problem): string {
  const file = location === undefined || location.file === "<stdin>" ? "" : `${location.file}:`;
  const place = location === undefined ? "" : `${file}${location.line}:${location.column} `;
  return `${place}${message}${hint === undefined ? "" : ` | ${hint}`}`;
}

/** A template with one builder that is good but for `changes`; `more` are other root keys. */
export function templateText(changes: Record<string, unknown> = {}, more: Record<string, unknown> = {}): string {
  const builder = { type: "amazon-chroot", ami_name: "web", source_ami: "ami-1", ...changes };
  return JSON.stringify({ builders: [builder], ...more });
}
