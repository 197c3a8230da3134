// Kills the daemon of a local cloud again and again in the middle of what it was asked for, and looks each time whether
// it has everything that it had acknowledged, nothing half, and nothing more.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { seededRandom } from "../../../src/base/random.ts";
import { SNAPSHOT_BLOCK_BYTES } from "../../../src/base/units.ts";
import { writeAt } from "../disk-store.ts";
import type { Attempt, Outcome, World } from "./attempt.ts";
import { PLANS, Unanswered } from "./attempts.ts";
import { type KilledDaemon, startDaemon } from "./daemon.ts";
import { assertDevices, assertExports, assertNoLeftovers, type Places } from "./leftovers.ts";
import { freeDevices, makeFiles } from "./places.ts";
import { someBlock } from "./upload-attempts.ts";
import {
  blocksOfContent,
  CONTENT_BLOCKS,
  contentOfBlocks,
  ENCRYPTED_REGION,
  idsOf,
  observe,
  patched,
  sha256,
  UNKNOWN,
  type View,
} from "./view.ts";

export interface KillFigures {
  readonly kills: number;
  /** Calls that were answered, those between the kills included. */
  readonly answered: number;
  /** Calls that were under way at a kill. */
  readonly cutOff: number;
  /** How many of those turned out to be done. */
  readonly done: number;
  /** How often each action was under way at a kill. */
  readonly cutOffByAction: Readonly<Record<string, number>>;
}

/** The daemon is killed while it opens its store, after it was killed at work. */
const OPENING = "opening the store";

const VICTIMS = [...Object.keys(PLANS), OPENING];

/** Each kill comes while so many calls are under way. */
const CALLS_A_KILL = 3;

/** @param say told of each kill. */
export async function runKillCampaign(options: {
  readonly seed: number;
  /** At least so many, and as many as it takes for each action to be under way at one. */
  readonly kills: number;
  readonly say?: (line: string) => void;
}): Promise<KillFigures> {
  const scratch = await mkdtemp(join(tmpdir(), "amibake-kill-"));
  try {
    await using campaign = new Campaign(scratch, options.seed, await makeFiles(scratch), await freeDevices());
    let kills = 0;
    while (kills < options.kills || VICTIMS.some((name) => campaign.figures.cutOffByAction[name] === undefined)) {
      const names = await campaign.killOnce();
      kills += 1;
      options.say?.(`${kills}: ${names.join(", ")}`);
    }
    await campaign.end();
    return { kills, ...campaign.figures };
  } finally {
    await rm(scratch, { recursive: true });
  }
}

class Campaign implements AsyncDisposable {
  readonly figures = { answered: 0, cutOff: 0, done: 0, cutOffByAction: {} as Record<string, number> };
  readonly #places: Places;
  readonly #random: () => number;
  readonly #files: World["files"];
  /** How long each action takes here. */
  readonly #typicalMs = new Map<string, number>([["import a tarball", 2_000]]);
  /** What is still to be killed in this turn of all actions. */
  #victims: string[] = [];
  #view: View = { [ENCRYPTED_REGION]: { kind: "settings", encryptByDefault: false } };
  #outcomes: readonly Outcome[] = [];
  #number = 0;
  /** The one that runs. */
  #daemon: KilledDaemon | undefined;
  #isOver = false;

  constructor(scratch: string, seed: number, files: World["files"], devices: readonly string[]) {
    this.#places = { storeDirectory: join(scratch, "store"), exportDirectory: join(scratch, "exports"), devices };
    this.#random = seededRandom(seed);
    this.#files = files;
  }

  /** @returns what was under way. */
  async killOnce(): Promise<string[]> {
    const daemon = await this.#open();
    await this.#topUp(daemon);
    await this.#writeBlocks();
    const names = this.#nextVictims();
    const attempts = this.#planAll(daemon, names);
    const [reference = ""] = attempts.map(({ name }) => name);
    const killAfterMs = this.#random() * this.#typicalOf(reference);
    const running = attempts.map(({ name, attempt }) => this.#attempt(daemon, name, attempt));
    // Not when all are answered: then none would be under way.
    await Promise.race([delay(killAfterMs), ...running]);
    await daemon.kill();
    this.#daemon = undefined;
    this.#outcomes = await Promise.all(running);
    if (names.includes(OPENING)) await this.#killOpening();
    const cutOff = this.#outcomes.filter(({ answer }) => answer === undefined).map(({ name }) => name);
    // What was answered in time has its turn again.
    this.#victims.push(...this.#outcomes.filter(({ answer }) => answer !== undefined).map(({ name }) => name));
    for (const name of [...cutOff, ...names.filter((name) => name === OPENING)]) {
      this.figures.cutOffByAction[name] = (this.figures.cutOffByAction[name] ?? 0) + 1;
    }
    this.figures.cutOff += cutOff.length;
    return names;
  }

  /** Looks a last time, deletes everything, and sees that nothing is left. */
  async end(): Promise<void> {
    const daemon = await this.#open();
    await this.#shrink(daemon, { volumes: 0, snapshots: 0, images: 0, uploads: 0 });
    await this.#verify(daemon, []);
    await daemon.stop();
    this.#daemon = undefined;
    this.#isOver = true;
    await assertDevices(this.#places, {});
  }

  /** After a failure: gives the devices back. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOver) return;
    const daemon = this.#daemon ?? (await (await startDaemon(this.#places.storeDirectory)).ready);
    await daemon.stop();
  }

  /** Opens the store and checks everything. */
  async #open(): Promise<KilledDaemon> {
    const start = performance.now();
    const daemon = await (await startDaemon(this.#places.storeDirectory)).ready;
    this.#daemon = daemon;
    this.#learn(OPENING, performance.now() - start);
    const outcomes = this.#outcomes;
    this.#outcomes = [];
    await this.#verify(daemon, outcomes);
    await this.#repeat(daemon, outcomes);
    return daemon;
  }

  async #killOpening(): Promise<void> {
    const starting = await startDaemon(this.#places.storeDirectory);
    const ready = starting.ready.catch(() => undefined);
    await Promise.race([delay(this.#random() * this.#typicalOf(OPENING)), ready]);
    await starting.kill();
    await ready;
  }

  async #verify(daemon: KilledDaemon, outcomes: readonly Outcome[]): Promise<void> {
    const answered = outcomes.flatMap(({ attempt, answer }) => (answer === undefined ? [] : attempt.steps(answer, {})));
    const observed = await observe(daemon, answered.reduce(patched, this.#view));
    const expected = outcomes.reduce((view, outcome) => this.#after(view, outcome, observed), this.#view);
    this.#view = withKnown(expected, observed);
    assert.deepEqual(observed, this.#view, `after ${outcomes.map(({ name }) => name).join(", ")}`);
    await assertNoLeftovers(this.#places.storeDirectory, observed);
    await assertDevices(this.#places, observed);
    this.figures.done += await assertExports(this.#places, this.#view, outcomes);
  }

  #after(view: View, { attempt, answer }: Outcome, observed: View): View {
    if (answer !== undefined) return attempt.steps(answer, observed).reduce(patched, view);
    const found = attempt.find === undefined ? {} : attempt.find(observed);
    if (found === undefined) return view;
    const patches = attempt.steps(found, observed);
    // Nothing, everything, or what AWS does in several steps up to one of them.
    const candidates = [view];
    for (const patch of patches) candidates.push(patched(candidates.at(-1) ?? view, patch));
    const touched = patches.flatMap((patch) => Object.keys(patch));
    const isSeen = (candidate: View) => touched.every((id) => isDeepStrictEqual(candidate[id], observed[id]));
    // All of what was made: a part of it is a failure that is then told.
    const happened = attempt.find === undefined ? candidates.findLast(isSeen) : candidates.at(-1);
    if (happened !== undefined && !isDeepStrictEqual(happened, view)) this.figures.done += 1;
    return happened ?? view;
  }

  /** A repeat with the same ClientToken finds what the first one made, whether that was answered or not. */
  async #repeat(daemon: KilledDaemon, outcomes: readonly Outcome[]): Promise<void> {
    const repeatable = outcomes.filter(({ attempt }) => attempt.isRepeatable);
    if (repeatable.length === 0) return;
    for (const { name, attempt, answer } of repeatable) {
      const before = answer ?? attempt.find?.(this.#view);
      const repeated = await attempt.run(daemon);
      if (before !== undefined) assert.deepEqual(repeated, before, `${name}, repeated with its ClientToken`);
      else this.#view = attempt.steps(repeated, await observe(daemon, this.#view)).reduce(patched, this.#view);
    }
    assert.deepEqual(await observe(daemon, this.#view), this.#view, "after repeats");
  }

  /** Makes what every action needs, and no end of it. */
  async #topUp(daemon: KilledDaemon): Promise<void> {
    await this.#shrink(daemon, { volumes: 6, snapshots: 8, images: 4, uploads: 4 });
    const count = (kind: string, isCounted: (id: string) => boolean = () => true) =>
      idsOf(this.#view, kind).filter(isCounted).length;
    const isAttached = (id: string) => this.#view[id]?.["device"] !== undefined;
    const used = () => new Set(idsOf(this.#view, "image").map((id) => this.#view[id]?.["snapshot"]));
    while (count("volume") < 4) await this.#do(daemon, "CreateVolume");
    while (count("volume", isAttached) < 2) await this.#do(daemon, "AttachVolume");
    while (count("volume", (id) => !isAttached(id)) < 2) await this.#do(daemon, "DetachVolume");
    while (count("snapshot", (id) => !used().has(id)) < 3) await this.#do(daemon, "CreateSnapshot");
    while (count("upload") < 3) await this.#do(daemon, "StartSnapshot");
    while (count("upload", (id) => this.#view[id]?.["puts"] !== "") < 2) await this.#do(daemon, "PutSnapshotBlock");
    while (count("image", (id) => this.#view[id]?.["protection"] === "disabled") < 2) {
      await this.#do(daemon, "RegisterImage");
    }
    while (count("snapshot", (id) => !used().has(id)) < 3) await this.#do(daemon, "CreateSnapshot");
  }

  async #shrink(
    daemon: KilledDaemon,
    max: Record<"volumes" | "snapshots" | "images" | "uploads", number>,
  ): Promise<void> {
    const count = (kind: string) => idsOf(this.#view, kind).length;
    while (count("image") > max.images) {
      const isProtected = idsOf(this.#view, "image").some((id) => this.#view[id]?.["protection"] !== "disabled");
      await this.#do(daemon, isProtected ? "DisableImageDeregistrationProtection" : "DeregisterImage");
    }
    while (count("snapshot") > max.snapshots) if (!(await this.#do(daemon, "DeleteSnapshot"))) break;
    while (count("upload") > max.uploads) await this.#do(daemon, "delete an upload");
    while (count("volume") > max.volumes) {
      if (!(await this.#do(daemon, "DeleteVolume"))) await this.#do(daemon, "DetachVolume");
    }
  }

  /** Does something that nobody interrupts. @returns whether it could be done. */
  async #do(daemon: KilledDaemon, name: string): Promise<boolean> {
    const attempt = PLANS[name]?.(this.#world(daemon, new Set()));
    if (attempt === undefined) return false;
    const { answer } = await this.#attempt(daemon, name, attempt);
    assert.ok(answer !== undefined, `${name} was not answered`);
    this.#view = attempt.steps(answer, this.#view).reduce(patched, this.#view);
    return true;
  }

  async #attempt(daemon: KilledDaemon, name: string, attempt: Attempt): Promise<Outcome> {
    const start = performance.now();
    try {
      const answer = await attempt.run(daemon);
      this.#learn(name, performance.now() - start);
      this.figures.answered += 1;
      return { name, attempt, answer };
    } catch (error) {
      if (!isCutOff(error)) throw error;
      return { name, attempt, answer: undefined };
    }
  }

  #world(daemon: KilledDaemon, taken: ReadonlySet<string>): World {
    this.#number += 1;
    const { devices, exportDirectory } = this.#places;
    const places = { devices, exportDirectory, files: this.#files };
    return { daemon, view: this.#view, random: this.#random, number: this.#number, taken, ...places };
  }

  /** Every action has its turn before one has it again. */
  #nextVictims(): string[] {
    const names: string[] = [];
    while (names.length < CALLS_A_KILL) {
      if (this.#victims.length === 0) this.#victims = VICTIMS.filter((name) => !names.includes(name));
      const [name = ""] = this.#victims.splice(Math.floor(this.#random() * this.#victims.length), 1);
      if (!names.includes(name)) names.push(name);
    }
    return names;
  }

  #planAll(daemon: KilledDaemon, names: readonly string[]): { name: string; attempt: Attempt }[] {
    const taken = new Set<string>();
    return names.flatMap((name) => {
      const attempt = PLANS[name]?.(this.#world(daemon, taken));
      // What the other one works on is all there is: its turn comes again.
      if (attempt === undefined && name !== OPENING) this.#victims.push(name);
      for (const id of attempt?.uses ?? []) taken.add(id);
      return attempt === undefined ? [] : [{ name, attempt }];
    });
  }

  /** Writes into an attached volume, through its device. What was synced there counts as acknowledged. */
  async #writeBlocks(): Promise<void> {
    for (const id of idsOf(this.#view, "volume")) {
      const { device, content } = this.#view[id] ?? {};
      if (device === undefined || this.#random() < 0.5) continue;
      const index = Math.floor(this.#random() * CONTENT_BLOCKS);
      const block = someBlock(this.#random);
      await writeAt(String(device), index * SNAPSHOT_BLOCK_BYTES, block);
      const blocks = blocksOfContent(content).set(index, sha256(block));
      this.#view = patched(this.#view, { [id]: { ...this.#view[id], content: contentOfBlocks(blocks) } });
    }
  }

  #learn(name: string, tookMs: number): void {
    this.#typicalMs.set(name, (this.#typicalOf(name) + tookMs) / 2);
  }

  #typicalOf(name: string): number {
    return this.#typicalMs.get(name) ?? 40;
  }
}

/** What only a look could tell is known from now on. */
function withKnown(expected: View, observed: View): View {
  const entries = Object.entries(expected).map(([id, fields]) => {
    const known = Object.entries(fields).map(([name, value]) => [
      name,
      value === UNKNOWN ? observed[id]?.[name] : value,
    ]);
    return [id, Object.fromEntries(known)];
  });
  return Object.fromEntries(entries);
}

/** The connection broke: nobody knows whether it was done. An answer of AWS's is no such thing. */
export function isCutOff(error: unknown): boolean {
  if (error instanceof Unanswered) return true;
  const { code, name, $metadata } = error as { code?: string; name?: string; $metadata?: { httpStatusCode?: number } };
  if ($metadata?.httpStatusCode !== undefined) return false;
  return ["ECONNRESET", "ECONNREFUSED", "EPIPE"].includes(code ?? "") || name === "TimeoutError";
}
