import type { ImageId } from "../../base/ids.ts";
import {
  ApiError,
  invalidCombination,
  invalidParameterValue,
  invalidValue,
  missingParameter,
} from "../protocol/api-error.ts";
import type { XmlObject } from "../protocol/xml.ts";
import {
  type Architecture,
  type ImageMapping,
  type ImageRecord,
  NO_PERMISSIONS,
  type ProductCode,
} from "../state/records.ts";
import type { TransitionKind } from "../timing/latency.ts";
import { type Call, hideIfStruck, stopIfDryRun } from "./call.ts";
import { type Cloud, now } from "./cloud.ts";
import { checkRootMapping, requestedMappings } from "./image-mappings.ts";
import { newImageId, snapshotId } from "./resource-ids.ts";
import { refuseWithoutRoom } from "./room.ts";
import { snapshotForVolume } from "./snapshots.ts";
import { tagSpecifications } from "./tag-rules.ts";

export const ARCHITECTURES = ["i386", "x86_64", "arm64", "x86_64_mac", "arm64_mac"] as const satisfies Architecture[];

/** RegisterImage, "UefiData": the store has up to 64 KB. */
const UEFI_DATA_BYTES_MAX = 64 * 1024;

export async function registerImage(call: Call): Promise<XmlObject> {
  const { params, cloud } = call;
  await refuseWithoutRoom(call);
  const name = params.string("Name");
  if (name === undefined) throw missingParameter("Name");
  if (params.has("ImageLocation")) {
    // An image in S3. There is no S3 here; see docs/fidelity.md.
    throw new ApiError(
      "InvalidManifest",
      "HTTP 404 (Not Found) response for the manifest: instance store is not supported.",
    );
  }
  if (params.has("BillingProduct")) {
    throw new ApiError("OperationNotPermitted", "The account is not authorized to specify billing product codes.");
  }
  checkName(name);
  const mappings = requestedMappings(params, (id) => snapshotForVolume(call, snapshotId(id)));
  // The AMI that boots from /dev/sda1 was the only kind once, and still is what is meant by saying nothing.
  const rootDeviceName = params.string("RootDeviceName") ?? "/dev/sda1";
  checkRootMapping(mappings, rootDeviceName);
  const boot = bootAttributes(call);
  const tags = tagSpecifications(params, ["image"]).get("image") ?? [];
  checkNameIsFree(call, name);
  stopIfDryRun(call);
  const imageId = await addImage(call, "RegisterImage", {
    ...boot,
    ownerId: call.caller.accountId,
    region: call.region,
    name,
    description: params.text("Description") ?? "",
    rootDeviceName,
    mappings,
    productCodes: productCodesOf(cloud, mappings),
    tags,
  });
  return { imageId };
}

export type NewImage = Omit<
  ImageRecord,
  "id" | "sequence" | "creationDate" | "state" | "permissions" | "deregistrationProtection"
>;

/** Adds a checked image as "pending" and lets it become "available". */
export async function addImage(
  call: Pick<Call, "cloud" | "faults">,
  kind: TransitionKind & ("RegisterImage" | "CopyImage"),
  image: NewImage,
  remember: (id: ImageId) => void = () => {},
): Promise<ImageId> {
  const { cloud, faults } = call;
  const record: ImageRecord = {
    ...image,
    id: newImageId(),
    sequence: cloud.state.nextSequence(),
    creationDate: now(cloud),
    state: "pending",
    permissions: NO_PERMISSIONS,
    deregistrationProtection: { enabled: false, hasCooldown: false },
  };
  hideIfStruck(call, record.id);
  cloud.state.images.put(record.id, record);
  remember(record.id);
  await cloud.state.commit();
  const failure = faults.effect("image-failed");
  await cloud.transitions.start(kind, async (waitForDelay) => {
    await waitForDelay();
    if (failure === undefined) await makeAvailable(cloud, record.id);
    else await makeFailed(cloud, record.id, failure.message);
  });
  return record.id;
}

/** Ends "pending". Also what an opened store does. */
export function makeAvailable(cloud: Cloud, id: ImageId): Promise<void> {
  return endPending(cloud, id, { state: "available" });
}

function makeFailed(cloud: Cloud, id: ImageId, message = "An internal error has occurred"): Promise<void> {
  return endPending(cloud, id, { state: "failed", stateReason: { code: "Server.InternalError", message } });
}

async function endPending(cloud: Cloud, id: ImageId, end: Partial<ImageRecord>): Promise<void> {
  const image = cloud.state.images.get(id);
  if (image?.state === "pending") cloud.state.images.put(id, { ...image, ...end });
  await cloud.state.commit();
}

/** RegisterImage, "Name". @throws {ApiError} InvalidAMIName.Malformed. */
export function checkName(name: string): void {
  if (/^[A-Za-z0-9()[\] ./\-'@_]{3,128}$/.test(name)) return;
  const message =
    "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, '(', ')', '.', '-', '/' and '_'";
  throw new ApiError("InvalidAMIName.Malformed", message);
}

/** @throws {ApiError} InvalidAMIName.Duplicate: names are unique in an account's region. */
export function checkNameIsFree({ cloud, caller, region }: Call, name: string): void {
  const holder = cloud.state.images
    .values()
    .find((image) => image.name === name && image.ownerId === caller.accountId && image.region === region);
  if (holder === undefined) return;
  throw new ApiError("InvalidAMIName.Duplicate", `AMI name ${name} is already in use by AMI ${holder.id}`);
}

/** "If any snapshots have AWS Marketplace product codes, they are copied to the new AMI" (RegisterImage). */
function productCodesOf({ state }: Cloud, mappings: readonly ImageMapping[]): ProductCode[] {
  const codes = mappings.flatMap(({ ebs }) =>
    ebs?.snapshotId === undefined ? [] : (state.snapshots.get(ebs.snapshotId)?.productCodes ?? []),
  );
  return [...new Map(codes.map((code) => [code.productCode, code])).values()];
}

type BootAttributes = Pick<
  NewImage,
  | "architecture"
  | "virtualizationType"
  | "enaSupport"
  | "sriovNetSupport"
  | "bootMode"
  | "tpmSupport"
  | "uefiData"
  | "imdsSupport"
  | "kernelId"
  | "ramdiskId"
>;

/** How the image boots, with RegisterImage's defaults for what was left out. */
function bootAttributes({ params }: Call): BootAttributes {
  const attributes: BootAttributes = {
    architecture: params.choice("Architecture", ARCHITECTURES) ?? "i386",
    virtualizationType: params.choice("VirtualizationType", ["hvm", "paravirtual"]) ?? "paravirtual",
    enaSupport: params.boolean("EnaSupport") ?? false,
    sriovNetSupport: params.choice("SriovNetSupport", ["simple"]),
    bootMode: params.choice("BootMode", ["legacy-bios", "uefi", "uefi-preferred"]),
    tpmSupport: params.choice("TpmSupport", ["v2.0"]),
    imdsSupport: params.choice("ImdsSupport", ["v2.0"]),
    uefiData: requestedUefiData(params.string("UefiData")),
    kernelId: params.string("KernelId"),
    ramdiskId: params.string("RamdiskId"),
  };
  checkKernel("aki", "kernelId", attributes.kernelId);
  checkKernel("ari", "ramdiskId", attributes.ramdiskId);
  checkTogether(attributes);
  return attributes;
}

function checkTogether(attributes: BootAttributes): void {
  const { virtualizationType, enaSupport, sriovNetSupport, bootMode, tpmSupport, architecture, kernelId, ramdiskId } =
    attributes;
  if (virtualizationType === "paravirtual") {
    if (enaSupport) throw invalidCombination("EnaSupport is supported only for HVM AMIs.");
    if (sriovNetSupport !== undefined) throw invalidCombination("SriovNetSupport is supported only for HVM AMIs.");
    if (bootMode === "uefi" || bootMode === "uefi-preferred") {
      throw invalidCombination(`The boot mode '${bootMode}' is supported only for HVM AMIs.`);
    }
    if (architecture === "arm64") throw invalidCombination("The architecture 'arm64' is supported only for HVM AMIs.");
  } else if (kernelId !== undefined || ramdiskId !== undefined) {
    throw invalidCombination("Kernels and RAM disks are not supported for HVM AMIs.");
  }
  if (architecture === "arm64" && bootMode === "legacy-bios") {
    throw invalidCombination("The architecture 'arm64' supports only the boot mode 'uefi'.");
  }
  // "To enable NitroTPM, the boot mode must be uefi" (EC2 User Guide, "Requirements for using NitroTPM").
  if (tpmSupport !== undefined && bootMode !== "uefi") {
    throw invalidCombination("TpmSupport v2.0 requires the boot mode 'uefi'.");
  }
}

function checkKernel(prefix: "aki" | "ari", parameter: string, id: string | undefined): void {
  if (id === undefined || /^a[kr]i-([0-9a-f]{8}|[0-9a-f]{17})$/.test(id)) return;
  throw invalidValue(id, parameter, `Expected: '${prefix}-...'.`);
}

function requestedUefiData(data: string | undefined): string | undefined {
  if (data === undefined) return undefined;
  const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(data) && data.length % 4 === 0;
  if (!isBase64) throw invalidParameterValue("The UEFI data is not valid base64.");
  if (Buffer.from(data, "base64").length > UEFI_DATA_BYTES_MAX)
    throw invalidParameterValue("The UEFI data is too large.");
  return data;
}
