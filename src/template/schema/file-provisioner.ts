import * as z from "zod/mini";
import type { Component } from "./component.ts";
import { described, EVEN_WITH_OTHER_PROBLEMS, plannedText, provisionerText } from "./fields.ts";

/** The keys of a `file` provisioner, less those that every provisioner has. */
export const fileProvisionerSchema = z
  .strictObject({
    source: described(
      z.optional(provisionerText()),
      "File or directory. A directory with a slash at its end means what is in it, as in rsync",
    ),
    sources: described(z._default(z.array(provisionerText()), []), "Several files or directories"),
    content: described(z.optional(provisionerText()), "Text of the file, instead of a source"),
    destination: described(provisionerText(), "Where it goes. With a slash at its end, a directory"),
    direction: described(
      z._default(z.enum(["upload", "download"]), "upload"),
      "`upload` into the image or `download` out of it",
    ),
    generated: described(
      z._default(z.boolean(), false),
      "The source is made during the build: do not look for it before",
    ),
  })
  .check(
    z.superRefine((config, context) => {
      for (const [key, message] of problemsOf(config)) {
        context.addIssue({ code: "custom", path: key === undefined ? [] : [key], message });
      }
    }, EVEN_WITH_OTHER_PROBLEMS),
  );

export type FileProvisionerConfig = z.infer<typeof fileProvisionerSchema>;

function problemsOf(config: Partial<FileProvisionerConfig>): [string | undefined, string][] {
  const { source, sources = [], content, destination, direction } = config;
  const hasSource = source !== undefined || sources.length > 0;
  const problems: [string | undefined, string][] = [];
  if (!hasSource && content === undefined)
    problems.push([undefined, 'One of "source", "sources" and "content" is required']);
  if (content !== undefined && hasSource) {
    problems.push(["content", `"content" cannot stand beside "${source === undefined ? "sources" : "source"}"`]);
  }
  if (content !== undefined && direction === "download") problems.push(["content", '"content" cannot be downloaded']);
  if (content !== undefined && plannedText(destination)?.endsWith("/")) {
    problems.push(["destination", '"destination" must name a file for "content", not a directory']);
  }
  return problems;
}

export const fileProvisioner: Component<FileProvisionerConfig> = {
  kind: "provisioner",
  type: "file",
  schema: fileProvisionerSchema,
  keysNotYet: [],
};
