import { ApiError, invalidParameterValue, missingParameter } from "../protocol/api-error.ts";
import type { Params } from "../protocol/query-params.ts";
import type { Tag } from "../state/records.ts";

type FilterValue = string | number | boolean | undefined;

/** For each filter name, the values of a record that it is compared with. */
export type FilterTable<T> = Readonly<Record<string, (record: T) => FilterValue | readonly FilterValue[]>>;

// "You can specify up to 200 filter values" (EC2 User Guide, "Filter your resources").
const FILTER_VALUES_MAX = 200;

/** No filter of AWS's that always finds nothing here: the thing it asks about does not exist in the local cloud. */
export const NEVER = (): undefined => undefined;

/**
 * Keeps the records that match every `Filter.N`, each by any one of its values.
 *
 * Values are compared exactly but for case-sensitive wildcards: `*`, `?`, and a
 * backslash that takes their meaning away.
 *
 * @throws {ApiError} InvalidParameterValue for a filter that the action does not have.
 */
export function applyFilters<T extends { readonly tags: readonly Tag[] }>(
  records: readonly T[],
  params: Params,
  table: FilterTable<T>,
): T[] {
  const tests = params.structures("Filter").map((filter) => filterTest(filter, table));
  return records.filter((record) => tests.every((test) => test(record)));
}

function filterTest<T extends { readonly tags: readonly Tag[] }>(
  filter: Params,
  table: FilterTable<T>,
): (record: T) => boolean {
  const name = filter.string("Name");
  if (name === undefined) throw missingParameter("Filter.Name");
  const values = filter.list("Value");
  if (values.length > FILTER_VALUES_MAX) {
    const message = `The maximum number of filter values specified on a single call is ${FILTER_VALUES_MAX}.`;
    throw new ApiError("FilterLimitExceeded", message);
  }
  const valuesOf = selector(name, table);
  const patterns = values.map(wildcardPattern);
  return (record) => {
    const found = valuesOf(record);
    return [found]
      .flat()
      .some((value) => value !== undefined && patterns.some((pattern) => pattern.test(String(value))));
  };
}

function selector<T extends { readonly tags: readonly Tag[] }>(
  name: string,
  table: FilterTable<T>,
): FilterTable<T>[string] {
  if (name === "tag-key") return ({ tags }) => tags.map(({ key }) => key);
  if (name.startsWith("tag:")) {
    const wanted = name.slice("tag:".length);
    return ({ tags }) => tags.flatMap(({ key, value }) => (key === wanted ? [value] : []));
  }
  const known = Object.hasOwn(table, name) ? table[name] : undefined;
  if (known === undefined) throw invalidParameterValue(`The filter '${name}' is invalid`);
  return known;
}

/** EC2's wildcards as a regular expression over the whole value. */
export function wildcardPattern(value: string): RegExp {
  const source = value.replace(/\\([\s\S])|([\s\S])/g, (_, escaped: string | undefined, plain: string | undefined) => {
    if (plain === "*") return "[\\s\\S]*";
    if (plain === "?") return "[\\s\\S]";
    return (escaped ?? plain ?? "").replace(/[.*+?^${}()|[\]\\/]/, "\\$&");
  });
  return new RegExp(`^${source}$`, "u");
}
