import type { DescribedValue } from "../../template-description.ts";
import { unknownValue } from "../values/construct.ts";
import { printValue, quoted } from "../values/print-value.ts";
import { DYNAMIC, type HclValue } from "../values/value.ts";

/** The values of what a template declares, sorted by name. What has none is unknown. */
export function describeValues(
  declared: ReadonlyMap<string, { readonly isSensitive: boolean }>,
  values: ReadonlyMap<string, HclValue>,
): DescribedValue[] {
  return [...declared]
    .map(([name, { isSensitive }]) => ({ name, isSensitive, value: values.get(name) ?? unknownValue(DYNAMIC) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** All of them in the layout of Packer's `inspect` and `console`. */
export function layoutValues(variables: readonly DescribedValue[], locals: readonly DescribedValue[]): string {
  return [
    "> input-variables:\n",
    ...variables.map((value) => `var.${line(value)}`),
    "",
    "> local-variables:\n",
    ...locals.map((value) => `local.${line(value)}`),
    "",
  ].join("\n");
}

function line({ name, value, isSensitive }: DescribedValue): string {
  return `${name}: ${quoted(isSensitive ? "<sensitive>" : printValue(value))}`;
}
