// "only" and "except" of provisioners and post-processors.
import type { ProblemList } from "../../base/problems.ts";
import type { ReadObject } from "./check.ts";
import { buildHint } from "./select-builds.ts";

export interface BuildChoice {
  readonly only: readonly string[];
  readonly except: readonly string[];
}

export function isForBuild({ only, except }: BuildChoice, buildName: string): boolean {
  return (only.length === 0 || only.includes(buildName)) && !except.includes(buildName);
}

export interface BuildChoiceOptions {
  /** Every build of the template. */
  readonly buildNames: readonly string[];
  readonly problems: ProblemList;
  /** Who is told of a name that no build has. Without it, that is a problem. */
  readonly unknownBuildNames?: ProblemList;
}

/** They exclude each other, and may name only what is there. */
export function checkBuildChoice(
  { config, locate }: ReadObject<BuildChoice>,
  { problems, buildNames, unknownBuildNames = problems }: BuildChoiceOptions,
): void {
  const { only = [], except = [] } = config ?? {};
  if (only.length > 0 && except.length > 0) {
    problems.add('"except" cannot stand beside "only"', { location: locate(["except"]) });
  }
  for (const [key, names] of [
    ["only", only],
    ["except", except],
  ] as const) {
    for (const [index, name] of names.entries()) {
      if (buildNames.includes(name)) continue;
      unknownBuildNames.add(`"${key}" names the build "${name}", which does not exist`, {
        location: locate([key, index]),
        hint: buildHint(name, buildNames),
      });
    }
  }
}
