import { ToolError } from "../base/errors.ts";
import type { ImageId, SnapshotId } from "../base/ids.ts";
import { NO_FAULTS_MET } from "./faults/fault-engine.ts";
import type { Call } from "./operations/call.ts";
import type { Cloud } from "./operations/cloud.ts";
import { checkRootMapping } from "./operations/image-mappings.ts";
import { snapshotOfContent } from "./operations/make-snapshot.ts";
import { addImage, checkName, checkNameIsFree } from "./operations/register-image.ts";
import { ApiError } from "./protocol/api-error.ts";
import { Params } from "./protocol/query-params.ts";
import type { Architecture, Tag } from "./state/records.ts";
import type { SnapshotContent } from "./storage/disk-storage.ts";

export interface ImportPlan {
  readonly name: string;
  readonly description?: string;
  readonly architecture: Architecture;
  /** @default "/dev/xvda" */
  readonly rootDeviceName?: string;
  readonly bootMode?: "legacy-bios" | "uefi" | "uefi-preferred";
  readonly tags?: readonly Tag[];
  /** Puts the disk into the storage as the content of the snapshot with this id. */
  readonly write: (snapshotId: SnapshotId) => Promise<SnapshotContent>;
}

export interface ImportedImage {
  readonly imageId: ImageId;
  readonly snapshotId: SnapshotId;
}

/**
 * Makes an image of the store's own account of a disk from outside: HVM, with ENA.
 *
 * A crash before the snapshot is complete leaves nothing.
 *
 * @throws {ToolError} ERR_IMAGE_NAME if the name is malformed or taken.
 */
export async function importImage(cloud: Cloud, plan: ImportPlan): Promise<ImportedImage> {
  const call = ownCall(cloud);
  checkImportName(call, plan.name);
  const description = plan.description ?? "";
  const snapshot = await snapshotOfContent(call, description, plan.write);
  const rootDeviceName = plan.rootDeviceName ?? "/dev/xvda";
  const ebs = {
    snapshotId: snapshot.id,
    sizeGib: snapshot.sizeGib,
    type: "gp3",
    iops: 3_000,
    throughput: 125,
    deleteOnTermination: true,
    encrypted: false,
  } as const;
  const mappings = [{ deviceName: rootDeviceName, ebs }];
  checkRootMapping(mappings, rootDeviceName);
  cloud.state.snapshots.put(snapshot.id, snapshot);
  const imageId = await addImage(call, "RegisterImage", {
    ownerId: call.caller.accountId,
    region: call.region,
    name: plan.name,
    description,
    architecture: plan.architecture,
    virtualizationType: "hvm",
    enaSupport: true,
    sriovNetSupport: "simple",
    bootMode: plan.bootMode,
    rootDeviceName,
    mappings,
    productCodes: [],
    tags: [...(plan.tags ?? [])],
  });
  return { imageId, snapshotId: snapshot.id };
}

/** A call as the store's own account would make it. */
function ownCall(cloud: Cloud): Call {
  const identity = cloud.state.identity.get("store");
  const caller = identity === undefined ? undefined : cloud.state.credentials.get(identity.accessKeyId);
  if (caller === undefined) throw new TypeError("The store has no credentials of its own");
  const { region } = cloud.host;
  return { action: "ImportImage", cloud, caller, region, params: Params.parse(""), faults: NO_FAULTS_MET };
}

function checkImportName(call: Call, name: string): void {
  try {
    checkName(name);
    checkNameIsFree(call, name);
  } catch (cause) {
    if (!(cause instanceof ApiError)) throw cause;
    throw new ToolError("ERR_IMAGE_NAME", `Cannot name an image "${name}": ${cause.message}`, {
      cause,
      hint: "Choose another name with --name",
      fault: "usage",
    });
  }
}
