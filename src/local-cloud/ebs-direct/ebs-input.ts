// Reads parameters as the model of the EBS direct APIs constrains them.
import type { SnapshotId } from "../../base/ids.ts";
import type { EbsCall } from "./ebs-call.ts";
import { missing, unreadable, violated } from "./ebs-errors.ts";

export interface Range {
  readonly min: number;
  readonly max?: number;
}

/** A number in the path, the query or a header. */
export function integer(text: string | null | undefined, member: string, range: Range): number | undefined {
  if (text === null || text === undefined || text === "") return undefined;
  if (!/^-?\d{1,15}$/.test(text)) throw unreadable(`'${text}' at '${member}' can not be converted to an Integer`);
  return inRange(Number(text), member, range);
}

export function requiredInteger(text: string | null | undefined, member: string, range: Range): number {
  const value = integer(text, member, range);
  if (value === undefined) throw missing(member);
  return value;
}

export function inRange(value: number, member: string, { min, max }: Range): number {
  if (value < min) throw violated(value, member, `have value greater than or equal to ${min}`);
  if (max !== undefined && value > max) throw violated(value, member, `have value less than or equal to ${max}`);
  return value;
}

/** @throws {ApiError} ValidationException, INVALID_SNAPSHOT_ID. */
export function snapshotId(text: string | null | undefined, member: string): SnapshotId {
  if (text === null || text === undefined || text === "") throw missing(member);
  if (/^snap-[0-9a-f]{1,59}$/.test(text)) return text as SnapshotId;
  throw violated(text, member, "satisfy regular expression pattern: ^snap-[0-9a-f]+$", "INVALID_SNAPSHOT_ID");
}

export function header({ headers }: EbsCall, name: string): string | undefined {
  return headers[name.toLowerCase()];
}

export function requiredHeader(call: EbsCall, name: string): string {
  const value = header(call, name);
  if (value === undefined || value === "") throw missing(name);
  return value;
}

/** The members of a JSON body. */
export async function jsonBody({ body }: EbsCall): Promise<Readonly<Record<string, unknown>>> {
  const text = (await body.read()).toString();
  try {
    const value: unknown = text === "" ? {} : JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Not JSON: refused below.
  }
  throw unreadable("The body of the request is not a JSON object");
}

type Members = Readonly<Record<string, unknown>>;

export function text(members: Members, name: string, lengthMax: number, pattern?: RegExp): string | undefined {
  const value = members[name] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value !== "string") throw unreadable(`'${name}' can not be converted to a String`);
  if (value.length > lengthMax) throw violated(value, name, `have length less than or equal to ${lengthMax}`);
  if (pattern !== undefined && !pattern.test(value)) {
    throw violated(value, name, `satisfy regular expression pattern: ${pattern.source}`);
  }
  return value;
}

export function wholeNumber(members: Members, name: string, range: Range): number | undefined {
  const value = members[name] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !Number.isInteger(value)) {
    throw unreadable(`'${name}' can not be converted to an Integer`);
  }
  return inRange(value, name, range);
}

export function flag(members: Members, name: string): boolean | undefined {
  const value = members[name] ?? undefined;
  if (value === undefined || typeof value === "boolean") return value;
  throw unreadable(`'${name}' can not be converted to a Boolean`);
}
