import type { EbsApi } from "../aws/ebs-api.ts";
import type { Ec2Api } from "../aws/ec2-api.ts";
import type { InstanceIdentity } from "../aws/imds.ts";
import type { Polling } from "../aws/wait.ts";
import type { BlockHashes } from "../base/block-hashes.ts";
import type { Clock } from "../base/clock.ts";
import type { Leftover } from "../base/errors.ts";
import type { SnapshotId } from "../base/ids.ts";
import type { BlockSource } from "../block-server/client.ts";
import type { ManifestStore } from "../snapshot-transfer/manifest-store.ts";
import type { BuilderConfig } from "../template/schema/components.ts";
import type { FailurePolicy, Verdict } from "./attendance/failure-policy.ts";
import type { Interaction, StepFailure } from "./attendance/interaction.ts";
import type { EmitBuildEvent } from "./build-events.ts";
import type { FindSyncLauncher } from "./image-root/suppress-sync.ts";
import type { Journal } from "./journal/journal.ts";

/** What the steps of one build share. */
export interface BuildContext {
  readonly buildName: string;
  readonly config: BuilderConfig;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly ec2: Ec2Api;
  /** What only its builder needs. */
  readonly means: BuilderMeans;
  readonly polling: Polling | undefined;
  readonly journal: Journal;
  /** Cancels the build. Releases never listen to it. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly emit: EmitBuildEvent;
  readonly runStep: RunStep;
  /** What becomes of what it made, when it fails. */
  readonly failure: FailurePolicy;
  /** The person at the terminal, if there is one. */
  readonly interaction: Interaction;
  readonly reportLeftover: (leftover: Leftover) => void;
  /** The same for all builds of a run. */
  readonly runId: string;
  readonly findSyncLauncher: FindSyncLauncher;
}

export type BuilderMeans = ChrootMeans | DirectMeans;

/** An instance whose volumes are this host's devices. */
export interface ChrootMeans {
  readonly type: "amazon-chroot";
  readonly instance: InstanceIdentity;
  /** `device_path` of the template. */
  readonly devicePath: string | undefined;
}

/** Any host: it reaches snapshots over the network. */
export interface DirectMeans {
  readonly type: "amazon-direct";
  readonly accountId: string;
  readonly ebs: EbsApi;
  /** What the build changes is kept there until it is uploaded. */
  readonly overlayDirectory: string;
  /** Serves the blocks of a snapshot of this account, or of one that is shared with it. */
  readonly openBlocks: (
    snapshotId: SnapshotId,
    options: Pick<BuildContext, "emit" | "signal"> & { readonly knownHashes: BlockHashes },
  ) => Promise<BlockSource>;
  /** What this host knows of snapshots that it made. */
  readonly manifests: ManifestStore;
}

/** A context with the means of one builder. */
export type ContextWith<Means extends BuilderMeans> = BuildContext & { readonly means: Means };

export interface StepProgress {
  /** @param percent 0 to 100, if known. */
  tell(text: string, percent?: number): void;
}

/** Runs a part of the build that the user sees by its title, with its time. */
export type RunStep = <T>(
  title: string,
  work: (progress: StepProgress) => Promise<T>,
  options?: {
    /** Running it once more after a failure may help, and does no harm. */
    readonly isRepeatable?: boolean;
    /** What becomes of what was made is decided: its failure is no question of `-on-error`. */
    readonly isDecided?: boolean;
  },
) => Promise<T>;

/** What becomes of a build between its steps. */
export interface StepHooks {
  /** A step has ended, well or not. It must not throw: what the step made would be lost. */
  afterStep(title: string): Promise<void>;
  afterFailure(failure: StepFailure): Promise<Verdict | "retry">;
}

/** Makes the step runner of one build. */
export function stepRunner(emit: EmitBuildEvent, { afterStep, afterFailure }: StepHooks): RunStep {
  let count = 0;
  const runOnce = async <T>(title: string, work: (progress: StepProgress) => Promise<T>): Promise<T> => {
    const step = `step-${++count}`;
    const start = performance.now();
    const elapsedMs = () => performance.now() - start;
    emit({ type: "step-started", step, title });
    try {
      const result = await work({
        tell: (text, percent) =>
          emit({ type: "step-progress", step, text, ...(percent === undefined ? {} : { percent }) }),
      });
      emit({ type: "step-finished", step, title, elapsedMs: elapsedMs() });
      return result;
    } catch (error) {
      emit({ type: "step-failed", step, title, elapsedMs: elapsedMs() });
      throw error;
    }
  };
  return async (title, work, { isRepeatable = false, isDecided = false } = {}) => {
    for (;;) {
      try {
        const result = await runOnce(title, work);
        await afterStep(title);
        return result;
      } catch (error) {
        if (!isDecided && (await afterFailure({ error, title, isRepeatable })) === "retry") continue;
        await afterStep(title);
        throw error;
      }
    }
  };
}
