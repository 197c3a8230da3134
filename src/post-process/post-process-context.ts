import type { Clock } from "../base/clock.ts";
import type { BuildVariables } from "../template/deferred.ts";
import type { PostProcessEvent } from "./post-process-events.ts";

/** What post-processors work on: the result of a build. */
export interface Artifact {
  /** As in Packer: `us-east-1:ami-0abc`; those of several regions sorted, with commas between. */
  readonly id: string;
  /** Paths on this host. An image has none. */
  readonly files: readonly string[];
  /** Of the image's snapshots, the root's first. Missing where the builder does not know what they hold. */
  readonly readBlockManifests?: (() => Promise<readonly BlockManifest[]>) | undefined;
}

/** What a snapshot holds. Blocks that are not listed are all zero. */
export interface BlockManifest {
  readonly snapshotId: string;
  /** Size of the volume. */
  readonly sizeBytes: number;
  readonly blockSizeBytes: number;
  /** Ascending by index. */
  readonly blocks: readonly {
    readonly blockIndex: number;
    /** SHA-256, in hex. Null for a block of the source that nobody has looked at. */
    readonly hash: string | null;
  }[];
}

/** What a post-processor may do on this host. */
export interface HostFiles {
  /**
   * Changes a text file that others may be changing at the same time: no change is lost, and a reader finds the old
   * text or the new one. The file and its directory are made if they are missing.
   *
   * @param change gives the new text for the old one, which is missing if there is no file.
   */
  changeFile(
    path: string,
    change: (text: string | undefined) => string,
    options: { readonly signal: AbortSignal },
  ): Promise<void>;
}

/** What a post-processor works with. */
export interface PostProcessContext {
  readonly artifact: Artifact;
  /** What ``build `SourceAMI` `` and its like stand for. */
  readonly variables: BuildVariables;
  readonly buildName: string;
  readonly buildType: string;
  /** The same for all builds of a run. */
  readonly runId: string;
  readonly files: HostFiles;
  readonly clock: Clock;
  /** Aborting ends the post-processor and what it runs. */
  readonly signal: AbortSignal;
  readonly emit: (event: PostProcessEvent) => void;
}
