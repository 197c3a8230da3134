import type { ProblemList } from "../../base/problems.ts";
import { nearMiss } from "../../base/suggest.ts";

export interface BuildSelection {
  readonly only: readonly string[];
  readonly except: readonly string[];
}

interface SelectOptions extends BuildSelection {
  readonly postProcessorNames: readonly string[];
  /** Whether a word of `-only` or `-except` means a name. Without it, if they are the same. */
  readonly fits?: (wanted: string, name: string) => boolean;
}

function isSame(wanted: string, name: string): boolean {
  return wanted === name;
}

/**
 * The builds that `-only` and `-except` leave. A name that fits none is a warning, as in Packer; `-except` may also
 * name post-processors. That they leave none at all goes to `nothingToBuild`.
 */
export function selectBuilds<Build extends { readonly name: string }>(
  builds: readonly Build[],
  { only, except, postProcessorNames, fits = isSame }: SelectOptions,
  { warnings, nothingToBuild }: { warnings: ProblemList; nothingToBuild: ProblemList },
): Build[] {
  const names = builds.map(({ name }) => name);
  for (const [flag, wanted] of [
    ["-only", only],
    ["-except", except.filter((name) => !postProcessorNames.some((known) => fits(name, known)))],
  ] as const) {
    for (const name of wanted.filter((name) => !names.some((known) => fits(name, known)))) {
      warnings.add(`No build has the name "${name}" of ${flag}`, { hint: buildHint(name, names) });
    }
  }
  const isOneOf = (wanted: readonly string[], name: string) => wanted.some((pattern) => fits(pattern, name));
  const selected = builds.filter(({ name }) => (only.length === 0 || isOneOf(only, name)) && !isOneOf(except, name));
  if (builds.length > 0 && selected.length === 0) {
    nothingToBuild.add("-only and -except leave no build", { hint: buildHint(only[0] ?? "", names) });
  }
  return selected;
}

const NAMES_TOLD_MAX = 20;

/** Which build may be meant, or all there are. */
export function buildHint(name: string, names: readonly string[]): string {
  const meant = nearMiss(name, names);
  if (meant !== undefined) return `Did you mean "${meant}"?`;
  const more = names.length > NAMES_TOLD_MAX ? `, and ${names.length - NAMES_TOLD_MAX} more` : "";
  return `The builds are ${names
    .slice(0, NAMES_TOLD_MAX)
    .map((known) => `"${known}"`)
    .join(", ")}${more}`;
}
