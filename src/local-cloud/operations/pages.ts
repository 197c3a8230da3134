import { ApiError, invalidCombination, invalidValue } from "../protocol/api-error.ts";
import type { Params } from "../protocol/query-params.ts";

/** How many results a page may have. */
export interface PageLimits {
  readonly min: number;
  /** A larger MaxResults means this many. */
  readonly max: number;
  /** How the action's complaint calls its list of ids, if ids and pages exclude each other. */
  readonly idsName?: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextToken: string | undefined;
}

/**
 * Cuts a page out of the results, in order of creation.
 *
 * The token holds the last item's sequence number, so that deleting and creating
 * between two pages neither repeats nor skips what was there all the time.
 *
 * @throws {ApiError} InvalidParameterValue, InvalidParameterCombination, InvalidNextToken.
 */
export function pageOf<T extends { readonly sequence: number }>(
  results: readonly T[],
  params: Params,
  limits: PageLimits,
  hasIds: boolean,
): Page<T> {
  const asked = params.integer("MaxResults");
  if (asked !== undefined && hasIds && limits.idsName !== undefined) {
    throw invalidCombination(`The parameter ${limits.idsName} cannot be used with the parameter maxResults`);
  }
  if (asked !== undefined && asked < limits.min) {
    throw invalidValue(asked, "maxResults", `Expecting a value greater than ${limits.min}.`);
  }
  const after = parseToken(params.string("NextToken"));
  const sorted = results.filter(({ sequence }) => sequence > after).sort((a, b) => a.sequence - b.sequence);
  const count = asked === undefined ? sorted.length : Math.min(asked, limits.max);
  const items = sorted.slice(0, count);
  const last = items.at(-1);
  const nextToken = last !== undefined && sorted.length > count ? formatToken(last.sequence) : undefined;
  return { items, nextToken };
}

function formatToken(sequence: number): string {
  return Buffer.from(JSON.stringify({ after: sequence })).toString("base64url");
}

function parseToken(token: string | undefined): number {
  if (token === undefined) return 0;
  try {
    const parsed: unknown = JSON.parse(Buffer.from(token, "base64url").toString());
    if (typeof parsed === "object" && parsed !== null && "after" in parsed && typeof parsed.after === "number") {
      return parsed.after;
    }
  } catch {
    // Not ours: refused below, like any other text.
  }
  throw new ApiError("InvalidNextToken", `The token '${token}' is invalid`);
}
