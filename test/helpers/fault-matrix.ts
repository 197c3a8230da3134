// Builds in this process, whose local cloud makes calls fail: each ends in an image or in one clear error, and leaves
// nothing.
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { EnableEbsEncryptionByDefaultCommand } from "@aws-sdk/client-ec2";
import { AsyncDisposableStack } from "../../src/base/async-disposable-stack.ts";
import { flattenFailure, messageOf, ToolError } from "../../src/base/errors.ts";
import type { BuildSummary } from "../../src/build/run-builds.ts";
import { FAULTS } from "../../src/local-cloud/faults/fault-kinds.ts";
import { writeTemplate } from "./build-template.ts";
import { mountsAnywhere, orphanedOverlays, processesIn } from "./build-traces.ts";
import {
  dropAllButBase,
  type FoundImage,
  findBaseCopies,
  findBaseDamage,
  findImages,
  findStrayManifests,
} from "./cloud-findings.ts";
import { BUILD_KINDS, type Builder, type BuildKind } from "./crash-plan.ts";
import { type CallCounts, COUNTED_ACTIONS, type FaultCase, faultCases } from "./fault-cases.ts";
import { type ImageTree, readImageContent, treeDifferences } from "./image-content.ts";
import { readImageFile } from "./read-image.ts";
import { runBuildHere } from "./run-build.ts";
import { scaledClock } from "./scaled-clock.ts";
import { setFaults } from "./set-faults.ts";
import { startTestCloud, type TestCloud } from "./test-cloud.ts";
import { programCommand } from "./test-program.ts";

/** Of real time, for a build that takes one second undisturbed. */
const HANG_MS = 90_000;

export interface FaultOutcome {
  readonly name: string;
  /** How many calls the fault struck; 0 if the build never came there. */
  readonly strikeCount: number;
  /** "image", the code of the error, or "hang". */
  readonly ending: string;
  /** What the build said it had left, and `amibake clean` removed. */
  readonly namedLeftovers: readonly string[];
  readonly elapsedMs: number;
  /** None of these is the aim. */
  readonly problems: readonly string[];
}

export interface FaultMatrix extends AsyncDisposable {
  readonly cases: readonly FaultCase[];
  run(faultCase: FaultCase): Promise<FaultOutcome>;
}

/**
 * Starts a cloud and counts the calls of the undisturbed builds.
 *
 * @param options.copiesBase whether each build has to copy its base, as the account encrypts by default and that is not.
 */
export async function openFaultMatrix(builder: Builder, { copiesBase = false } = {}): Promise<FaultMatrix> {
  await using undo = new AsyncDisposableStack();
  const cloud = undo.use(await startTestCloud());
  if (copiesBase) await cloud.ec2.send(new EnableEbsEncryptionByDefaultCommand({}));
  const counts = {} as Record<BuildKind, CallCounts[BuildKind]>;
  let tree: ImageTree = new Map();
  for (const build of BUILD_KINDS) {
    const undisturbed = await undisturbedBuild({ cloud, builder }, build);
    counts[build] = undisturbed.counts;
    tree = undisturbed.tree ?? tree;
  }
  const owned = undo.move();
  return {
    cases: faultCases(counts),
    run: (faultCase) => runCase({ cloud, builder }, faultCase, tree),
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

interface Stage {
  readonly cloud: TestCloud;
  readonly builder: Builder;
}

/** What it calls, and what its image holds. */
async function undisturbedBuild(
  stage: Stage,
  build: BuildKind,
): Promise<{ counts: CallCounts[BuildKind]; tree: ImageTree | undefined }> {
  const { cloud } = stage;
  // A fault of no consequence that counts.
  await setFaults(
    cloud,
    COUNTED_ACTIONS.map((action) => ({ fault: "slow", actions: [action], seconds: 0 })),
  );
  const { problems } = await bake(stage, { name: "no fault", build, speed: 1 });
  if (problems.length > 0) throw new Error(problems.join("\n"));
  const { rules } = await setFaults(cloud, []);
  const copies = await findBaseCopies(cloud);
  const image = (await findImages(cloud)).find(({ imageId }) => !copies.includes(imageId));
  const tree =
    image === undefined || stage.builder === "amazon-chroot"
      ? undefined
      : (await readImageContent(cloud, image, stateDirectory(cloud))).tree;
  await dropAllButBase(cloud);
  await rm(stateDirectory(cloud), { recursive: true, force: true });
  return { counts: new Map(COUNTED_ACTIONS.map((action, index) => [action, rules[index]?.callCount ?? 0])), tree };
}

async function runCase(stage: Stage, faultCase: FaultCase, undisturbed: ImageTree): Promise<FaultOutcome> {
  const { cloud } = stage;
  await setFaults(cloud, faultCase.rules);
  const start = performance.now();
  const { ending, imageId, named, problems, wasTold } = await bake(stage, faultCase);
  const elapsedMs = performance.now() - start;
  const { rules } = await setFaults(cloud, []);
  const strikeCount = rules[0]?.strikeCount ?? 0;
  const images = await findImages(cloud);
  const kept = images.filter((image) => image.imageId === imageId);
  const found = [
    ...problems,
    ...(strikeCount > 0 && ending === "image" && fails(faultCase) && !wasTold ? ["nobody was told of the fault"] : []),
    ...(imageId !== undefined && kept.length === 0 ? [`the image ${imageId} is missing`] : []),
    ...kept.flatMap(({ faults }) => faults.map((fault) => `the image ${imageId}: ${fault}`)),
    ...(await contentProblems(stage, kept, { name: faultCase.name, undisturbed })),
    ...(await findBaseDamage(cloud)),
    ...(await findStrayManifests(cloud, stateDirectory(cloud))),
  ];
  const staying = [...kept.flatMap((image) => [image.imageId, image.snapshotId]), ...(await findBaseCopies(cloud))];
  const expected = new Set([...staying, ...named]);
  const before = await cloud.resources();
  found.push(...before.filter((id) => !expected.has(id)).map((id) => `left in silence: ${id}`));
  if (before.some((id) => named.includes(id)) || (await journals(cloud)).length > 0) {
    if (named.length === 0) found.push("a journal was left, and no leftover named");
    found.push(...(await cleanUp(cloud, new Set(staying))));
  }
  await dropAllButBase(cloud);
  await rm(stateDirectory(cloud), { recursive: true, force: true });
  return { name: faultCase.name, strikeCount, ending, namedLeftovers: named, elapsedMs, problems: found };
}

/** Whether what it strikes has an error for its answer, which is then either told or tried again. */
function fails({ rules: [rule] }: FaultCase): boolean {
  if (rule === undefined) return false;
  // What was only to be read ahead and is refused is nobody's loss.
  const isRefused = ["denied", "expired-credentials"].includes(rule.fault);
  if (isRefused && rule.actions.includes("GetSnapshotBlock")) return false;
  const isDamage = ["damaged-block", "wrong-checksum", "reset-during"].includes(rule.fault);
  return isDamage || ["instead", "after"].includes(FAULTS[rule.fault].moment);
}

interface Baked {
  readonly ending: string;
  readonly imageId: string | undefined;
  readonly named: readonly string[];
  readonly problems: readonly string[];
  /** Whether an event told of a call that is tried again, or of a lost answer. */
  readonly wasTold: boolean;
}

let placeCount = 0;

async function bake(
  { cloud, builder: type }: Stage,
  { name, build, speed }: Pick<FaultCase, "name" | "build" | "speed">,
): Promise<Baked> {
  const place = join(cloud.scratch, `case-${++placeCount}`);
  const cacheDirectory = `${place}-cache`;
  await mkdir(place);
  const builder = {
    type,
    ami_name: "fault {{uuid}}",
    mount_path: join(place, "mnt/{{.Device}}"),
    ami_users: ["123456789012"],
  };
  const inline = [`printf %s "$CASE" >/etc/case`, "sleep 600 &", build === "failing" ? "exit 1" : "true"];
  const template = await writeTemplate(cloud, builder, [{ type: "shell", inline, environment_vars: [`CASE=${name}`] }]);
  const controller = new AbortController();
  let wasTold = false;
  const building = runBuildHere(cloud, template, {
    clock: scaledClock(speed),
    signal: controller.signal,
    environment: { AMIBAKE_STATE_DIR: stateDirectory(cloud) },
    // A cold one: what is in the cache already meets no fault.
    blockCache: {
      directory: join(cacheDirectory, "blocks"),
      serverCommand: [
        ...programCommand("test/fixtures/fast-block-server.ts"),
        join(cacheDirectory, "blocks"),
        String(speed),
      ],
    },
    onEvent: (event) => {
      wasTold ||= event.type === "retry" || event.type === "leftover";
      wasTold ||= event.type === "step-progress" && event.text.includes("answer was lost");
    },
  });
  using timer = hangTimer();
  const summary = await Promise.race([building, timer.expired]);
  const problems: string[] = [];
  if (summary === undefined) {
    problems.push(`it hung for ${HANG_MS / 1000} s`);
    controller.abort(new Error("It hung"));
    await Promise.race([building, delay(HANG_MS, undefined, { ref: false })]);
  }
  problems.push(...(await tracesOf(place, cacheDirectory)));
  await rm(place, { recursive: true, force: true });
  await rm(cacheDirectory, { recursive: true, force: true });
  return { ...judge(summary, build, problems), problems, wasTold };
}

/** A block server that has been left closes its connections before it has ended, and on a busy machine that takes a moment. */
const ENDING_MS = 5_000;

/** What a build has left on this host when it has ended. */
async function tracesOf(place: string, cacheDirectory: string): Promise<string[]> {
  const start = performance.now();
  for (;;) {
    const found = [
      ...(await mountsAnywhere(place)),
      ...(await readdir(place)).map((entry) => `directory left: ${entry}`),
      ...(await processesIn(place)),
      ...(await processesIn(cacheDirectory)),
      ...(await orphanedOverlays()),
    ];
    if (found.length === 0 || performance.now() - start > ENDING_MS) return found;
    await delay(100);
  }
}

/** How it ended; what is wrong with that goes to `problems`. */
function judge(
  summary: BuildSummary | undefined,
  build: BuildKind,
  problems: string[],
): Omit<Baked, "problems" | "wasTold"> {
  if (summary === undefined) return { ending: "hang", imageId: undefined, named: [] };
  const [result] = summary.results;
  const named = summary.leftovers.map(({ id }) => id);
  if (result !== undefined && "artifact" in result) {
    if (build === "failing") problems.push("a failing build has an image");
    return { ending: "image", imageId: Object.values(result.artifact.images)[0], named };
  }
  const { primary } = flattenFailure(result?.error);
  if (primary instanceof ToolError) return { ending: endingOf(primary), imageId: undefined, named };
  problems.push(`the error is no clear one: ${messageOf(primary)}`);
  return { ending: "unclear", imageId: undefined, named };
}

function endingOf(error: ToolError): string {
  return "awsCode" in error ? `${error.code} ${error.awsCode}` : error.code;
}

function hangTimer(): { expired: Promise<undefined> } & Disposable {
  const unused = new AbortController();
  const expired = delay(HANG_MS, undefined, { signal: unused.signal }).catch(() => undefined);
  return { expired, [Symbol.dispose]: () => unused.abort() };
}

const stateDirectory = (cloud: TestCloud) => join(cloud.scratch, "state");
const journals = (cloud: TestCloud) => readdir(join(stateDirectory(cloud), "builds")).catch(() => []);

/** Where the images are not what the template says. */
async function contentProblems(
  { cloud, builder }: Stage,
  images: readonly FoundImage[],
  { name, undisturbed }: { name: string; undisturbed: ImageTree },
): Promise<string[]> {
  const problems: string[] = [];
  for (const image of images) {
    const content = await readImageFile(cloud, image.imageId, "/etc/case");
    if (content !== name) problems.push(`the image ${image.imageId} holds ${JSON.stringify(content)}`);
    // What amazon-chroot makes never passes through this host block by block.
    if (builder === "amazon-chroot") continue;
    const { tree, faults } = await readImageContent(cloud, image, stateDirectory(cloud));
    problems.push(...faults, ...treeDifferences(undisturbed, tree, ["/etc/case"]));
  }
  return problems;
}

/** What `amibake clean` leaves now that nothing fails any more. */
async function cleanUp(cloud: TestCloud, kept: ReadonlySet<string>): Promise<string[]> {
  const { exitCode, stdout, stderr } = await cloud.amibake(["clean", "--settle", "2s"], {
    env: { AMIBAKE_STATE_DIR: stateDirectory(cloud) },
  });
  return [
    ...(exitCode === 0 ? [] : [`clean ended with ${exitCode}: ${stdout}${stderr}`]),
    ...(await cloud.resources()).filter((id) => !kept.has(id)).map((id) => `left after cleaning: ${id}`),
    ...(await journals(cloud)).map((entry) => `journal left after cleaning: ${entry}`),
  ];
}
