import type { EbsOperation } from "../ebs-direct/ebs-call.ts";
import { EBS_OPERATIONS } from "../ebs-direct/operations.ts";

export interface Route {
  readonly action: string;
  readonly operation: EbsOperation;
  /** The variable parts of the path. */
  readonly path: Readonly<Record<string, string>>;
}

const ROUTES = Object.entries(EBS_OPERATIONS).map(([action, operation]) => {
  const pattern = operation.path.replace(/\{(\w+)\}/g, "(?<$1>[^/]+)");
  return { action, operation, pattern: new RegExp(`^${pattern}$`) };
});

/** Whether a path belongs to the EBS direct APIs: those of the Query services have none. */
export function isRestPath(target: string): boolean {
  return /^\/snapshots(?:[/?]|$)/.test(target);
}

export function findRoute(method: string, target: string): Route | undefined {
  const path = target.split("?", 1)[0] ?? "";
  for (const { action, operation, pattern } of ROUTES) {
    const match = operation.method === method ? pattern.exec(path) : null;
    if (match !== null) return { action, operation, path: decoded(match.groups ?? {}) };
  }
  return undefined;
}

function decoded(parts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(parts).map(([name, value]) => [name, decode(value)]));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
