// Kills amibake, looks at once what is left on the host, cleans, and looks what is left anywhere. One campaign has one
// local cloud and works in turn; processes are told apart by their reaper, which is the process that runs the campaign.
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { adoptOrphans, readRunningChildren } from "../../scripts/testing/orphans.ts";
import { AsyncDisposableStack } from "../../src/base/async-disposable-stack.ts";
import type { CliOptions, CliResult } from "./amibake-cli.ts";
import { writeTemplate } from "./build-template.ts";
import { diskNodes, emptyCgroups } from "./build-traces.ts";
import { dropAllButBase, findBaseDamage } from "./cloud-findings.ts";
import { findCloudLeaks, findHostLeaks, findTracesOfKilled } from "./crash-leaks.ts";
import {
  BUILD_KINDS,
  type Builder,
  type BuildKind,
  type CrashPlan,
  describePlan,
  planCrash,
  type UndisturbedBuild,
} from "./crash-plan.ts";
import { setFaults } from "./set-faults.ts";
import { startTestCloud, type TestCloud } from "./test-cloud.ts";

const KILLER = pathToFileURL(join(import.meta.dirname, "kill-at-journal-entry.mjs")).href;

/** The local cloud shows at once what it made, unless a fault hides it. */
const SETTLE = "1s";

export interface CrashOutcome {
  readonly run: number;
  readonly what: string;
  /** False if the build had ended before. */
  readonly isKilled: boolean;
  /** Whether the build had said that its image is finished. */
  readonly isFinished: boolean;
  /** How long after the kill the host was as before. */
  readonly hostCleanMs: number;
  /** None of these is the aim. */
  readonly leaks: readonly string[];
}

export interface CrashCampaign extends AsyncDisposable {
  readonly undisturbed: Readonly<Record<BuildKind, UndisturbedBuild>>;
  run(run: number): Promise<CrashOutcome>;
}

/** Starts a cloud and measures the undisturbed builds. */
export async function openCrashCampaign(options: {
  seed: number;
  builder: Builder;
  startOptions?: readonly string[];
}): Promise<CrashCampaign> {
  await using undo = new AsyncDisposableStack();
  undo.use(adoptOrphans());
  const { seed, builder } = options;
  const cloud = undo.use(await startTestCloud({ startOptions: options.startOptions ?? [] }));
  // With AWS's delays, an imported image is pending at first.
  while ((await findBaseDamage(cloud)).length > 0) await delay(500);
  const stage: Stage = {
    cloud,
    builder,
    stateDirectory: join(cloud.scratch, "state"),
    sharedCache: join(cloud.scratch, "cache"),
    foreign: new Set((await readRunningChildren()).keys()),
    emptyBefore: new Set(await emptyCgroups()),
  };
  const undisturbed = {} as Record<BuildKind, UndisturbedBuild>;
  for (const kind of BUILD_KINDS) undisturbed[kind] = await measure(stage, kind);
  const owned = undo.move();
  return {
    undisturbed,
    run: (run) => crash(stage, run, planCrash(run, { seed, builder, undisturbed })),
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

export interface Stage {
  readonly cloud: TestCloud;
  readonly builder: Builder;
  readonly stateDirectory: string;
  /** AMIBAKE_CACHE_DIR of the builds that have none of their own. */
  readonly sharedCache: string;
  /** Children of this process that are none of a build. */
  readonly foreign: ReadonlySet<number>;
  /** Cgroups that others have left. */
  readonly emptyBefore: ReadonlySet<string>;
}

async function measure(stage: Stage, kind: BuildKind): Promise<UndisturbedBuild> {
  const place = await makePlace(stage);
  const momentsFile = join(place, "moments");
  const start = performance.now();
  const result = await build(stage, kind, place, { env: { AMIBAKE_MOMENTS: momentsFile } });
  const elapsedMs = performance.now() - start;
  const problems = problemsOfBuild(result, kind);
  if (problems.length > 0) throw new Error(problems.join("\n"));
  await dropAllButBase(stage.cloud);
  const moments = await readFile(momentsFile, "utf8").catch(() => "");
  await rm(place, { recursive: true });
  await rm(stage.stateDirectory, { recursive: true, force: true });
  return { moments: moments.split("\n").filter(Boolean), elapsedMs };
}

async function crash(stage: Stage, run: number, plan: CrashPlan): Promise<CrashOutcome> {
  const place = await makePlace(stage);
  const cacheDirectory = plan.cache === "cold" ? `${place}-cache` : stage.sharedCache;
  await setFaults(stage.cloud, plan.faults, run);
  const result = await killedBuild(stage, plan, { place, cacheDirectory });
  const killedAt = performance.now();
  const isKilled = result.signal === "SIGKILL";
  const finished = finishedImages(result);
  const problems = [
    ...(isKilled ? [] : problemsOfBuild(result, plan.build)),
    ...(await findTracesOfKilled(stage, place)).map((trace) => `at once on the host: ${trace}`),
  ];
  const hostCleanMs = performance.now() - killedAt;
  const nodes = await diskNodes(stage.cloud.storeDirectory);
  const { beside, problems: cleaningProblems } = await clean(stage, plan);
  problems.push(...cleaningProblems);
  await setFaults(stage.cloud, []);
  problems.push(...(await findCloudLeaks(stage, [...finished, ...beside])));
  problems.push(...(await findHostLeaks(stage, { place, cacheDirectory, nodes })));
  problems.push(...problemsOfSecondClean(await runClean(stage)));
  await dropAllButBase(stage.cloud);
  await rm(place, { recursive: true });
  if (plan.cache === "cold") await rm(cacheDirectory, { recursive: true, force: true });
  await rm(stage.stateDirectory, { recursive: true, force: true });
  const isFinished = finished.length > 0;
  return { run, what: describePlan(plan), isKilled, isFinished, hostCleanMs, leaks: problems };
}

let placeCount = 0;

/** A directory for one build, in which it works and mounts. */
async function makePlace({ cloud }: Stage): Promise<string> {
  const place = join(cloud.scratch, `run-${++placeCount}`);
  await mkdir(place);
  return place;
}

async function build(stage: Stage, kind: BuildKind, place: string, options: CliOptions = {}): Promise<CliResult> {
  const mount_path = join(place, "mnt/{{.Device}}");
  const template = await writeTemplate(
    stage.cloud,
    { type: stage.builder, ami_name: "crash {{uuid}}", mount_path, ami_users: ["123456789012"] },
    [{ type: "shell", inline: ["sleep 600 &", "echo provisioning", kind === "failing" ? "exit 1" : "true"] }],
  );
  return amibake(stage, ["build", "--json", template], { cwd: place, ...options });
}

/** In a process group of its own, and with its journal watched. */
function amibake(
  { cloud, stateDirectory, sharedCache }: Stage,
  args: string[],
  options: CliOptions,
): Promise<CliResult> {
  const env = { AMIBAKE_STATE_DIR: stateDirectory, AMIBAKE_CACHE_DIR: sharedCache, ...options.env };
  return cloud.amibake(args, { ...options, nodeArguments: ["--import", KILLER], ownGroup: true, env });
}

async function killedBuild(
  stage: Stage,
  { build: kind, kill, reach }: CrashPlan,
  { place, cacheDirectory }: { place: string; cacheDirectory: string },
): Promise<CliResult> {
  const env: Record<string, string> = {
    AMIBAKE_CACHE_DIR: cacheDirectory,
    ...(reach === "as an endpoint" && { AMIBAKE_LOCAL_STORE: "" }),
  };
  if ("moment" in kill) {
    return build(stage, kind, place, { env: { ...env, AMIBAKE_KILL_AT: `${kill.moment} ${kill.how}`.trim() } });
  }
  let timer: NodeJS.Timeout | undefined;
  const result = await build(stage, kind, place, {
    env,
    onStart: (child) => {
      timer = setTimeout(() => child.kill("SIGKILL"), kill.afterMs);
    },
  });
  clearTimeout(timer);
  return result;
}

const runClean = (stage: Stage, options: CliOptions = {}) => amibake(stage, ["clean", "--settle", SETTLE], options);

/** Cleans as the plan says. */
async function clean(
  stage: Stage,
  { cleaning, random }: CrashPlan,
): Promise<{ beside: string[]; problems: readonly string[] }> {
  if (cleaning === "two at once") {
    const results = await Promise.all([runClean(stage), runClean(stage)]);
    return { beside: [], problems: results.flatMap(problemsOfClean) };
  }
  if (cleaning === "beside a build") {
    const place = await makePlace(stage);
    const building = build(stage, "succeeding", place);
    await delay(random() * 1000);
    const cleaned = await runClean(stage);
    const built = await building;
    const problems = problemsOfBuild(built, "succeeding").map((problem) => `beside the cleaning, ${problem}`);
    return { beside: finishedImages(built), problems: [...problemsOfClean(cleaned), ...problems] };
  }
  if (cleaning === "killed, then again") await killedClean(stage, random);
  return { beside: [], problems: problemsOfClean(await runClean(stage)) };
}

/** At one of its own changes of a journal, or some time after its start. */
async function killedClean(stage: Stage, random: () => number): Promise<void> {
  if (random() < 0.5) {
    const how = random() < 0.5 ? "" : ` +${Math.floor(random() * 10)}`;
    await runClean(stage, { env: { AMIBAKE_KILL_AT: `${1 + Math.floor(random() * 8)}${how}` } });
    return;
  }
  const afterMs = 200 + random() * 600;
  await runClean(stage, { onStart: (child) => void setTimeout(() => child.kill("SIGKILL"), afterMs) });
}

function problemsOfBuild({ exitCode, signal, stdout, stderr }: CliResult, kind: BuildKind): string[] {
  if (exitCode === (kind === "failing" ? 1 : 0)) return [];
  return [`a ${kind} build that was not killed ended with ${exitCode ?? signal}: ${stdout}${stderr}`];
}

function problemsOfClean({ exitCode, signal, stdout, stderr }: CliResult): string[] {
  return exitCode === 0 ? [] : [`clean ended with ${exitCode ?? signal}: ${stdout}${stderr}`];
}

function problemsOfSecondClean(result: CliResult): string[] {
  const saysNothing = /nothing/i.test(result.stdout + result.stderr);
  return [...problemsOfClean(result), ...(saysNothing ? [] : [`a second clean found more: ${result.stdout}`])];
}

/** The images that a build said it had finished. */
function finishedImages({ stdout }: CliResult): string[] {
  return stdout.split("\n").flatMap((line) => {
    if (!line.includes('"build-finished"') || !line.endsWith("}")) return [];
    const { artifact } = JSON.parse(line) as { artifact: { images: Record<string, string> } };
    return Object.values(artifact.images);
  });
}
