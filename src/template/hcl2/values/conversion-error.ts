import { typeName } from "./types.ts";
import type { HclType, HclValue } from "./value.ts";

export type ValuePath = readonly (string | number)[];

/** A value that is not, and cannot become, what is wanted. */
export class ConversionError extends Error {
  override readonly name = "ConversionError";
  /** Where in the value: attribute names, keys, and indexes from 0. Empty for the value itself. */
  readonly path: ValuePath;
  readonly wanted: HclType;
  readonly hint: string | undefined;

  /** @param reason what the part of the value must be: "must be a number, not …". */
  constructor(reason: string, { path, wanted, hint }: { path: ValuePath; wanted: HclType; hint?: string | undefined }) {
    super(path.length === 0 ? reason : `${pathText(path)} ${reason}`);
    this.path = path;
    this.wanted = wanted;
    this.hint = hint;
  }
}

/** `.disks[0]["a b"]` */
function pathText(path: ValuePath): string {
  return path
    .map((step) =>
      typeof step === "string" && /^[\p{L}_][\p{L}\d_-]*$/u.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`,
    )
    .join("");
}

const SHOWN_LENGTH_MAX = 60;

/** `"abc"`, `12`, "a list of string", "null": a value in a message. */
export function describeValue({ type, content }: HclValue): string {
  if (content === null) return "null";
  if (typeof content === "boolean") return String(content);
  if (typeof content !== "string") return withArticle(typeName(type));
  return content.length > SHOWN_LENGTH_MAX
    ? `${JSON.stringify(content.slice(0, SHOWN_LENGTH_MAX))}…`
    : JSON.stringify(content);
}

export function describeType(type: HclType): string {
  return type.kind === "dynamic" ? "of any type" : withArticle(typeName(type));
}

function withArticle(name: string): string {
  return `${/^[aeiou]/.test(name) ? "an" : "a"} ${name}`;
}
