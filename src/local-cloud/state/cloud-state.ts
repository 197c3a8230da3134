import { join } from "node:path";
import type { ImageId, SnapshotId, VolumeId } from "../../base/ids.ts";
import { makeDirectories } from "../../linux/files/make-directories.ts";
import { STORE_MODE } from "../make-store-directory.ts";
import { type Change, Journal } from "./journal.ts";
import type {
  CredentialRecord,
  ImageRecord,
  RegionSettings,
  SnapshotRecord,
  StoreIdentity,
  TokenRecord,
  VolumeRecord,
} from "./records.ts";

/** Records of one kind by key. A record that was changed in place must be `put` again. */
export class Table<Key extends string, Value> {
  readonly #records = new Map<Key, Value>();
  readonly #name: string;
  readonly #note: (change: Change) => void;

  constructor(name: string, note: (change: Change) => void) {
    this.#name = name;
    this.#note = note;
  }

  get(key: Key): Value | undefined {
    return this.#records.get(key);
  }

  values(): Value[] {
    return [...this.#records.values()];
  }

  entries(): [Key, Value][] {
    return [...this.#records];
  }

  put(key: Key, record: Value): void {
    this.#records.set(key, record);
    this.#note([this.#name, key, record]);
  }

  delete(key: Key): void {
    if (this.#records.delete(key)) this.#note([this.#name, key, null]);
  }

  /** Takes a change from the journal, without noting it again. */
  replay(key: string, record: unknown): void {
    // The journal is our own: its records have the type they were written with.
    if (record === null) this.#records.delete(key as Key);
    else this.#records.set(key as Key, record as Value);
  }

  live(): Change[] {
    return [...this.#records].map(([key, record]) => [this.#name, key, record]);
  }
}

/**
 * Everything the cloud remembers. Reads and changes are plain and synchronous;
 * `commit` makes the changes durable, and nothing is answered before it has.
 */
export class CloudState implements AsyncDisposable {
  readonly #note = (change: Change): void => this.#journal?.note(change);
  #journal: Journal | undefined;
  #sequence = 0;

  readonly volumes = new Table<VolumeId, VolumeRecord>("volumes", this.#note);
  readonly snapshots = new Table<SnapshotId, SnapshotRecord>("snapshots", this.#note);
  readonly images = new Table<ImageId, ImageRecord>("images", this.#note);
  readonly credentials = new Table<string, CredentialRecord>("credentials", this.#note);
  /** By account and region. */
  readonly settings = new Table<string, RegionSettings>("settings", this.#note);
  /** By account, region, action and ClientToken. */
  readonly tokens = new Table<string, TokenRecord>("tokens", this.#note);
  readonly identity = new Table<"store", StoreIdentity>("identity", this.#note);

  /** Opens the state of a store, empty if it has none. The caller holds the store's lock. */
  static async open(storeDirectory: string): Promise<CloudState> {
    const directory = join(storeDirectory, "state");
    await makeDirectories(directory, STORE_MODE);
    const state = new CloudState();
    const tables = state.#tables();
    state.#journal = await Journal.open(
      join(directory, "journal.jsonl"),
      // A table of a later version is kept out of the way rather than refused.
      ([name, key, record]) => tables.get(name)?.replay(key, record),
      () => [...tables.values()].flatMap((table) => table.live()),
    );
    const resources = [...state.volumes.values(), ...state.snapshots.values(), ...state.images.values()];
    state.#sequence = resources.reduce((last, { sequence }) => Math.max(last, sequence), 0);
    return state;
  }

  nextSequence(): number {
    this.#sequence += 1;
    return this.#sequence;
  }

  async commit(): Promise<void> {
    await this.#journal?.commit();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#journal?.[Symbol.asyncDispose]();
  }

  #tables(): Map<string, Replayable> {
    const { volumes, snapshots, images, credentials, settings, tokens, identity } = this;
    return new Map<string, Replayable>(
      Object.entries({ volumes, snapshots, images, credentials, settings, tokens, identity }),
    );
  }
}

interface Replayable {
  replay(key: string, record: unknown): void;
  live(): Change[];
}
