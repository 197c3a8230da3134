// What an attempt is, and what all plans of attempts need.
import type { ResourceType } from "@aws-sdk/client-ec2";
import type { KilledDaemon } from "./daemon.ts";
import { type Fields, idsOf, type Patch, type View } from "./view.ts";

export interface World {
  readonly daemon: KilledDaemon;
  readonly view: View;
  readonly random: () => number;
  /** No other attempt has it: it marks what this one makes. */
  readonly number: number;
  /** What other attempts of the same round work on. */
  readonly taken: ReadonlySet<string>;
  /** Device names that are ours. */
  readonly devices: readonly string[];
  /** What is imported. */
  readonly files: { readonly disk: string; readonly diskContent: string; readonly tarball: string };
  readonly exportDirectory: string;
}

/** What the client learns, or what a look finds of an attempt that was not answered. */
export type Answer = Readonly<Record<string, string>>;

export interface Attempt {
  /** Ids that no other attempt may touch meanwhile. */
  readonly uses: readonly string[];
  run(daemon: KilledDaemon): Promise<Answer>;
  /** What changes, in this order; AWS's own action is not atomic where there are several. */
  steps(answer: Answer, observed: View): Patch[];
  /** For what makes something: its ids, if a look finds it. */
  readonly find?: (observed: View) => Answer | undefined;
  /** It has a ClientToken, so that a repeat finds what the first one made. */
  readonly isRepeatable?: boolean;
  /** Where an export goes, and the image whose disk that is. */
  readonly exported?: { readonly path: string; readonly imageId: string };
}

/** What became of an attempt. */
export interface Outcome {
  readonly name: string;
  readonly attempt: Attempt;
  /** Missing if it was not answered. */
  readonly answer: Answer | undefined;
}

export type Plan = (world: World) => Attempt | undefined;

export function pick<T>({ random }: World, items: readonly T[]): T | undefined {
  return items[Math.floor(random() * items.length)];
}

/** Resources of a kind that nobody works on and that the condition allows. */
export function free(
  world: World,
  kind: string,
  condition: (fields: Fields, id: string) => boolean = () => true,
): string[] {
  const { view, taken } = world;
  return idsOf(view, kind).filter((id) => !taken.has(id) && condition(view[id] ?? {}, id));
}

/** Of a disk from a tarball, more than the compared part is written. */
export const isComparable = ({ sizeGib }: Fields) => sizeGib === 1;
export const isDetached = ({ device }: Fields) => device === undefined;
export const isAttached = ({ device }: Fields) => device !== undefined;

export function isUnused({ view }: World): (fields: Fields, id: string) => boolean {
  const used = new Set(idsOf(view, "image").map((id) => view[id]?.["snapshot"]));
  return (_fields, id) => !used.has(id);
}

/** An attempt that changes one resource. */
export function change(
  world: World,
  id: string | undefined,
  run: (daemon: KilledDaemon, id: string) => Promise<unknown>,
  changed: Fields | undefined,
): Attempt | undefined {
  if (id === undefined) return undefined;
  const before = world.view[id];
  return {
    uses: [id],
    run: async (daemon) => {
      await run(daemon, id);
      return {};
    },
    steps: () => [{ [id]: changed === undefined ? undefined : { ...before, ...changed } }],
  };
}

export function tagsOf({ number }: World, kind = "made"): Record<string, string> {
  return { [kind]: String(number), round: "trip" };
}

export function specification(world: World, ...types: ResourceType[]) {
  const Tags = Object.entries(tagsOf(world)).map(([Key, Value]) => ({ Key, Value }));
  return types.map((ResourceType) => ({ ResourceType, Tags }));
}

/** The resource of a kind that this attempt has made. */
export function madeBy({ number }: World, observed: View, kind: string): string | undefined {
  return idsOf(observed, kind).find((id) => {
    const tags = observed[id]?.["tags"] as Answer | undefined;
    return tags?.["made"] === String(number);
  });
}

/** @param source what it has its content of. */
export function newSnapshot(world: World, source: Fields | undefined, fields: Fields = {}): Fields {
  const { content, sizeGib } = source ?? {};
  const rest = { description: "", tags: tagsOf(world), sharedWith: [], content, sizeGib };
  return { kind: "snapshot", state: "completed", ...rest, ...fields };
}

export function newImage(fields: Fields): Fields {
  const rest = { sharedWith: [], deprecation: undefined, protection: "disabled", description: undefined };
  return { kind: "image", state: "available", ...rest, ...fields };
}

export function found(id: string | undefined): Answer | undefined {
  return id === undefined ? undefined : { id };
}
