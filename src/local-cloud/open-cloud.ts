import { arch } from "node:process";
import { type Clock, systemClock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { VolumeId } from "../base/ids.ts";
import { watchUpload } from "./ebs-direct/upload-timeout.ts";
import { FaultEngine } from "./faults/fault-engine.ts";
import { FaultHolds } from "./faults/fault-holds.ts";
import type { FaultPlan } from "./faults/fault-plan.ts";
import { finishAttaching, startDetaching } from "./operations/attachments.ts";
import { forgetOldTokens } from "./operations/client-tokens.ts";
import type { Cloud, HostInstance } from "./operations/cloud.ts";
import { completeSnapshot } from "./operations/make-snapshot.ts";
import { makeAvailable } from "./operations/register-image.ts";
import { newInstanceId } from "./operations/resource-ids.ts";
import { removeSnapshot } from "./operations/snapshots.ts";
import { newAccessKeyId, newSecret } from "./operations/sts.ts";
import { changeVolume, finishCreating, finishDeleting } from "./operations/volumes.ts";
import { CloudState } from "./state/cloud-state.ts";
import { exclusiveStorage } from "./state/exclusive-storage.ts";
import type { StoreIdentity } from "./state/records.ts";
import type { DiskStorage } from "./storage/disk-storage.ts";
import { type LatencyMode, LatencyModel } from "./timing/latency.ts";
import { TokenBuckets } from "./timing/token-buckets.ts";
import { Transitions } from "./timing/transitions.ts";

const REGION = "us-east-1";

export interface CloudOptions {
  readonly storeDirectory: string;
  readonly storage: DiskStorage;
  readonly latency: LatencyMode;
  readonly seed: number;
  readonly nitro: boolean;
  /** @default none */
  readonly faults?: FaultPlan | undefined;
  readonly clock?: Clock;
  readonly report?: (what: string, error: unknown) => void;
}

/** Opens the state of a store and settles what a closed or killed process left half-way. */
export async function openCloud(options: CloudOptions): Promise<Cloud & AsyncDisposable> {
  const { clock = systemClock, nitro, report = () => {} } = options;
  const state = await CloudState.open(options.storeDirectory);
  const latency = new LatencyModel(options.latency, options.seed);
  const transitions = new Transitions(clock, latency);
  const cloud: Cloud = {
    state,
    storage: exclusiveStorage(options.storage),
    clock,
    latency,
    transitions,
    buckets: new TokenBuckets(clock),
    faults: new FaultEngine(new FaultHolds(clock, transitions.signal), options.faults),
    host: hostInstance(identify(state, clock), nitro),
    progress: new Map(),
    uploads: new Map(),
    tokensInUse: new Map(),
    underWay: new Set(),
    report,
  };
  const close = async () => {
    await transitions[Symbol.asyncDispose]();
    await Promise.allSettled(cloud.underWay);
    await state[Symbol.asyncDispose]();
  };
  try {
    await settle(cloud);
  } catch (error) {
    await close();
    throw error;
  }
  return { ...cloud, [Symbol.asyncDispose]: close };
}

/** The store's identity; a new store gets one, with credentials that AWS can never accept. */
function identify(state: CloudState, clock: Clock): StoreIdentity {
  const known = state.identity.get("store");
  if (known !== undefined) return known;
  const digits = Math.floor(Math.random() * 1e8).toString();
  const identity: StoreIdentity = {
    // No account of AWS's has been seen to begin with four zeros.
    accountId: `0000${digits.padStart(8, "0")}`,
    instanceId: newInstanceId(),
    region: REGION,
    accessKeyId: newAccessKeyId("LKIA"),
    createdAtMs: clock.now(),
  };
  state.identity.put("store", identity);
  state.credentials.put(identity.accessKeyId, {
    accessKeyId: identity.accessKeyId,
    secretAccessKey: newSecret(),
    accountId: identity.accountId,
    arn: `arn:aws:iam::${identity.accountId}:user/local`,
    userId: newAccessKeyId("LIDA"),
  });
  return identity;
}

function hostInstance({ accountId, instanceId, region, createdAtMs }: StoreIdentity, isNitro: boolean): HostInstance {
  const architecture = arch === "arm64" ? "arm64" : "x86_64";
  // There is no Arm instance type with Xen.
  const nitroType = architecture === "arm64" ? "m6g.large" : "m5.large";
  const hex = instanceId.slice(2);
  return {
    accountId,
    instanceId,
    region,
    zone: `${region}a`,
    architecture,
    isNitro,
    instanceType: isNitro || architecture === "arm64" ? nitroType : "t2.medium",
    rootDeviceName: "/dev/xvda",
    rootVolumeId: `vol-${hex}` as VolumeId,
    imageId: `ami-${hex}`,
    roleName: "amibake-local",
    launchedAtMs: createdAtMs,
    privateIp: "172.31.0.10",
    macAddress: `0a:${hex.slice(0, 10).replace(/(..)(?!$)/g, "$1:")}`,
  };
}

/** Nothing hangs: every "-ing" state of an earlier process is finished or undone. */
async function settle(cloud: Cloud): Promise<void> {
  const { state } = cloud;
  const noDelay = () => Promise.resolve();
  forgetOldTokens(cloud);
  for (const { id, state: snapshotState, upload } of state.snapshots.values()) {
    // Never acknowledged: the caller may have gone, and the volume may have changed since.
    if (snapshotState === "writing") await removeSnapshot(cloud, id);
    if (snapshotState !== "pending") continue;
    if (upload !== undefined && cloud.storage.isWritten(id)) watchUpload(cloud, id, upload.timeoutMinutes);
    else await completeSnapshot(cloud, id);
  }
  for (const { id } of state.images.values()) await makeAvailable(cloud, id);
  for (const volume of state.volumes.values()) {
    if (volume.state === "creating") await finishCreating(cloud, volume, noDelay);
    if (volume.state === "deleting") await finishDeleting(cloud, volume.id, noDelay);
    if (volume.attachment === undefined) continue;
    if (volume.attachment.state === "attaching" || volume.attachment.state === "attached") {
      await reattach(cloud, volume.id);
    } else {
      await startDetaching(cloud, volume.id, noDelay);
    }
  }
  for (const { accessKeyId, expiresAtMs } of state.credentials.values()) {
    if (expiresAtMs !== undefined && expiresAtMs <= cloud.clock.now()) state.credentials.delete(accessKeyId);
  }
  await state.commit();
}

/** A volume stays attached over a restart, unless its device name has been taken meanwhile. */
async function reattach(cloud: Cloud, id: VolumeId): Promise<void> {
  try {
    await finishAttaching(cloud, id, () => Promise.resolve());
  } catch (error) {
    cloud.report(`Cannot attach volume "${id}" again: ${messageOf(error)}`, error);
    await changeVolume(cloud, id, { state: "available", attachment: undefined });
  }
}
