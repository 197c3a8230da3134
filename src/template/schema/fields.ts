import * as z from "zod/mini";
import { type Deferred, plainText } from "../deferred.ts";
import { compileTemplate } from "../go-template/compile.ts";

/** What a field's zod schema alone does not say about how its text is read. */
export type FieldKind =
  /** Text with build variables, rendered while the build runs. */
  | {
      readonly kind: "deferred";
      readonly fields: readonly string[];
      readonly hasBuildFunction: boolean;
      /** Whether what its expressions give is text, as in what Packer evaluates before a build runs. */
      readonly isEvaluatedOnce: boolean;
    }
  /** "1h5m": kept in milliseconds. */
  | { readonly kind: "duration" }
  /** An object whose keys and values are both deferred text. */
  | { readonly kind: "tags"; readonly fields: readonly string[] };

/** The kind of every field that is more than its zod type. */
export const fieldKinds = z.registry<FieldKind>();

/** Says what a key is for, in Markdown: for the reference and for editors. */
export function described<Schema extends z.ZodMiniType>(schema: Schema, description: string): Schema {
  z.globalRegistry.add(schema, { description });
  return schema;
}

export function descriptionOf(schema: z.core.$ZodType): string | undefined {
  return z.globalRegistry.get(schema)?.description;
}

/** Build variables of descriptions and tags. */
export const IMAGE_VARIABLES = [
  "BuildRegion",
  "SourceAMI",
  "SourceAMICreationDate",
  "SourceAMIName",
  "SourceAMIOwner",
  "SourceAMIOwnerName",
  "SourceAMITags",
] as const;

/** Build variables of provisioners. */
export const PROVISIONER_VARIABLES = [
  "BuildRegion",
  "Device",
  "MountPath",
  "PackerRunUUID",
  "SourceAMI",
  "SourceAMICreationDate",
  "SourceAMIName",
  "SourceAMIOwner",
  "SourceAMIOwnerName",
] as const;

// A required one that is missing must be an issue; what is there, the reader has made.
const isThere = (value: unknown): boolean => value !== undefined;
// Otherwise one that is missing would stop the rules over several keys.
const GO_ON = { abort: false };

/** Text that may use the build variables `fields`. The reader makes it a `Deferred` before the schema sees it. */
export function deferred(fields: readonly string[], { isEvaluatedOnce = false } = {}) {
  return z
    .custom<Deferred>(isThere, GO_ON)
    .register(fieldKinds, { kind: "deferred", fields, hasBuildFunction: false, isEvaluatedOnce });
}

/** Text of a provisioner, which may also use ``build `SourceAMI` ``. */
export function provisionerText(moreFields: readonly string[] = []) {
  const fields = [...moreFields, ...PROVISIONER_VARIABLES];
  return z
    .custom<Deferred>(isThere, GO_ON)
    .register(fieldKinds, { kind: "deferred", fields, hasBuildFunction: true, isEvaluatedOnce: false });
}

/** A length of time, in milliseconds. */
export function durationMs() {
  return z.number().check(z.minimum(0)).register(fieldKinds, { kind: "duration" });
}

/** A tag whose key and value are both templates. */
export interface TagTemplate {
  readonly key: Deferred;
  readonly value: Deferred;
}

export function tags() {
  return z
    .custom<readonly TagTemplate[]>(isThere, GO_ON)
    .register(fieldKinds, { kind: "tags", fields: IMAGE_VARIABLES });
}

/** Tags as HCL2 has them too: `tag { key = …, value = … }` for each. */
export function tagBlocks() {
  const text = () => deferred(IMAGE_VARIABLES);
  return z._default(
    z.array(
      z.strictObject({
        key: described(text(), "Name of the tag"),
        value: described(z._default(text(), plainText("")), "Its value"),
      }),
    ),
    [],
  );
}

/** For a rule over several keys: zod would skip it when another key is wrong, but all problems are told at once. */
export const EVEN_WITH_OTHER_PROBLEMS = { when: () => true };

/** The default of a `deferred` field. */
export function deferredDefault(source: string, fields: readonly string[]): Deferred {
  const scope = { functions: new Map(), absentFunctions: new Map(), known: {}, hasBuildFunction: false };
  const compiled = compileTemplate(source, { ...scope, fields: new Set(fields) });
  if ("errors" in compiled) throw new TypeError(`Wrong default ${source}`, { cause: compiled.errors[0] });
  return compiled.text;
}

/** The text of a value that is known when the plan is made. */
export function plannedText(text: Deferred | undefined): string | undefined {
  return text !== undefined && text.needs.length === 0 ? text.render({}) : undefined;
}
