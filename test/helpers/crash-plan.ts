import { seededRandom } from "../../src/base/random.ts";
import type { FaultRule } from "../../src/local-cloud/faults/fault-plan.ts";

export const BUILDERS = ["amazon-chroot", "amazon-direct"] as const;
export type Builder = (typeof BUILDERS)[number];

export const BUILD_KINDS = ["succeeding", "failing"] as const;
export type BuildKind = (typeof BUILD_KINDS)[number];

/** Of a build that nobody kills. */
export interface UndisturbedBuild {
  /** Each write, sync and removal of its journal. */
  readonly moments: readonly string[];
  readonly elapsedMs: number;
}

/** What the runs of a campaign are planned by. */
export interface CrashPlanning {
  readonly seed: number;
  readonly builder: Builder;
  readonly undisturbed: Readonly<Record<BuildKind, UndisturbedBuild>>;
}

const CLEANINGS = ["once", "two at once", "killed, then again", "beside a build"] as const;

/** Answers are lost, and what was made is seen only later. Not as late as it can be on AWS: cleaning waits for it. */
const LOSING_FAULTS: readonly FaultRule[] = [
  { fault: "reset-after", actions: ["CreateVolume", "AttachVolume", "CreateSnapshot", "RegisterImage"], share: 0.3 },
  { fault: "reset-after", actions: ["StartSnapshot", "PutSnapshotBlock", "CompleteSnapshot"], share: 0.3 },
  { fault: "reset-after", actions: ["DeleteVolume", "DeleteSnapshot", "DeregisterImage", "DetachVolume"], share: 0.3 },
  { fault: "invisible", actions: ["CreateVolume", "CreateSnapshot", "StartSnapshot", "RegisterImage"], seconds: 0.5 },
];

/** So that many a random moment is in the middle of fetching or uploading, which take next to no time here. */
const SLOW_TRANSFERS: readonly FaultRule[] = [
  { fault: "slow", actions: ["GetSnapshotBlock", "PutSnapshotBlock", "CompleteSnapshot"], seconds: 0.2 },
];
const SLOWED_BUILD_FACTOR = 1.6;

/** What one run of the campaign does. */
export interface CrashPlan {
  readonly build: BuildKind;
  /** When the build is killed: at a moment of its journal, or some time after its start. */
  readonly kill: { readonly moment: number; readonly how: string } | { readonly afterMs: number };
  readonly cleaning: (typeof CLEANINGS)[number];
  /** What the cloud does meanwhile, to builds and to cleaning. */
  readonly faults: readonly FaultRule[];
  /** Whether the cloud is known as a local one or, as AWS would be, by its endpoint and credentials alone. */
  readonly reach: "as a store" | "as an endpoint";
  /** Whether the blocks that the build reads are those that earlier builds, killed or not, have fetched. */
  readonly cache: "shared" | "cold";
  /** For what else is left to chance. */
  readonly random: () => number;
}

/**
 * Decides the run. The moments of the journal are met in turn, in an order of the seed's, so that as many runs as twice
 * their number meet them all; every other run kills at a random time.
 */
export function planCrash(run: number, { seed, builder, undisturbed }: CrashPlanning): CrashPlan {
  const random = seededRandom(seed * 100_003 + run);
  const isRandomTime = run % 2 === 1;
  const rest = {
    cleaning: random() < 0.4 ? "once" : pick(CLEANINGS, random),
    faults: random() < 0.75 ? [] : LOSING_FAULTS,
    reach: random() < 0.5 ? "as a store" : "as an endpoint",
    cache: random() < 0.5 ? "shared" : "cold",
    random,
  } as const;
  if (isRandomTime) {
    const build = pick(BUILD_KINDS, random);
    const isSlow = builder === "amazon-direct" && rest.faults.length === 0 && random() < 0.5;
    const elapsedMs = undisturbed[build].elapsedMs * (isSlow ? SLOWED_BUILD_FACTOR : 1);
    const kill = { afterMs: Math.round(random() * elapsedMs) };
    return { build, kill, ...rest, ...(isSlow && { faults: SLOW_TRANSFERS }) };
  }
  const all = BUILD_KINDS.flatMap((build) => undisturbed[build].moments.map((_, index) => ({ build, index })));
  const chosen = shuffle(all, seededRandom(seed))[(run / 2) % all.length];
  if (chosen === undefined) throw new Error("The build has no journal");
  return { build: chosen.build, kill: { moment: chosen.index + 1, how: chooseHow(random) }, ...rest };
}

/** At the moment, in the middle of it if it is a write, or while the call that it announces is under way. */
function chooseHow(random: () => number): string {
  const chance = random();
  if (chance < 0.4) return "";
  if (chance < 0.6) return "torn";
  return `+${Math.floor(random() * 12)}`;
}

function pick<T>(items: readonly T[], random: () => number): T {
  return items[Math.floor(random() * items.length)] as T;
}

function shuffle<T>(items: readonly T[], random: () => number): T[] {
  const places = items.map((item) => ({ item, place: random() }));
  return places.sort((a, b) => a.place - b.place).map(({ item }) => item);
}

export function describePlan({ build, kill, cleaning, faults, reach, cache }: CrashPlan): string {
  const when = "moment" in kill ? `at journal moment ${kill.moment} ${kill.how}`.trim() : `after ${kill.afterMs} ms`;
  const weather =
    faults === LOSING_FAULTS ? ", with answers lost" : faults === SLOW_TRANSFERS ? ", with slow blocks" : "";
  return `a ${build} build killed ${when}, cleaned ${cleaning}, ${reach}, ${cache} cache${weather}`;
}
