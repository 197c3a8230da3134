import type { Clock } from "../../src/base/clock.ts";
import type { NamedBuildEvent } from "../../src/build/build-events.ts";
import { type BuildHost, createBuildHost } from "../../src/build/build-host.ts";
import { type BuildSummary, runBuilds } from "../../src/build/run-builds.ts";
import { blockCachePlace } from "../../src/cli/commands/block-cache.ts";
import { readTemplate } from "../../src/template/read-template.ts";
import { amibakeCommand } from "./amibake-cli.ts";
import type { TestCloud } from "./test-cloud.ts";

export interface BuildHereOptions {
  /** Added to the cloud's own. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  /** Where blocks are kept, and who serves them. @default the command line's own, in the cloud's directory */
  readonly blockCache?: { readonly directory: string; readonly serverCommand: readonly string[] };
  /** Takes the place of the one made of the environment and the clock. */
  readonly host?: BuildHost;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: NamedBuildEvent) => void;
}

/** Runs the builds of a template in this process, on a cloud in a process of its own. */
export async function runBuildHere(
  cloud: TestCloud,
  template: string,
  options: BuildHereOptions = {},
): Promise<BuildSummary> {
  const { clock, signal = new AbortController().signal, onEvent = () => {} } = options;
  const plan = await readTemplate(template, {
    variables: [],
    varFiles: [],
    only: [],
    except: [],
    environment: {},
    startTime: new Date(),
  });
  const environment = { ...cloud.environment, ...options.environment };
  const selfCommand = await amibakeCommand();
  const host =
    options.host ??
    createBuildHost({
      environment,
      ...(clock === undefined ? {} : { clock }),
      blockCache: () =>
        options.blockCache ?? blockCachePlace({ environment: { HOME: cloud.scratch, ...environment }, selfCommand }),
    });
  return runBuilds(plan, host, { parallelBuildsMax: 0, signal, onEvent });
}
