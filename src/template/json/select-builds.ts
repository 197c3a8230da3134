import { nearMiss } from "../../base/suggest.ts";
import type { ProblemList } from "../template-error.ts";

export interface BuildSelection {
  readonly only: readonly string[];
  readonly except: readonly string[];
}

/** The builds that `-only` and `-except` leave. A name that fits none is a warning, as in Packer. */
export function selectBuilds<Build extends { readonly name: string }>(
  builds: readonly Build[],
  { only, except }: BuildSelection,
  { problems, warnings }: { problems: ProblemList; warnings: ProblemList },
): Build[] {
  const names = builds.map(({ name }) => name);
  for (const [flag, wanted] of [
    ["-only", only],
    ["-except", except],
  ] as const) {
    for (const name of wanted.filter((name) => !names.includes(name))) {
      warnings.add(`No build has the name "${name}" of ${flag}`, { hint: buildHint(name, names) });
    }
  }
  const selected = builds.filter(({ name }) => (only.length === 0 || only.includes(name)) && !except.includes(name));
  if (builds.length > 0 && selected.length === 0) {
    problems.add("-only and -except leave no build", { hint: buildHint(only[0] ?? "", names) });
  }
  return selected;
}

/** Which build may be meant, or all there are. */
export function buildHint(name: string, names: readonly string[]): string {
  const meant = nearMiss(name, names);
  return meant === undefined
    ? `The builds are ${names.map((known) => `"${known}"`).join(", ")}`
    : `Did you mean "${meant}"?`;
}
