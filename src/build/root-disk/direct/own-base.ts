import { randomUUID } from "node:crypto";
import { hasCode, isOfPolicy } from "../../../aws/aws-error.ts";
import type { Image, ImageCopyPlan } from "../../../aws/ec2-api.ts";
import { VISIBLE_WITHIN_MS, waitFor } from "../../../aws/wait.ts";
import { ToolError } from "../../../base/errors.ts";
import type { ImageId, SnapshotId } from "../../../base/ids.ts";
import type { BuildContext, StepProgress } from "../../build-context.ts";
import { isGoing } from "../../draft.ts";
import type { SourceImage } from "../../image/find-source-image.ts";

/** The key of the tag by which the account's own copy of somebody else's image is found again. Its value is that image. */
const COPY_TAG = "amibake:copy-of";

// CopyImage takes minutes, and for large images longer; AWS gives no bound.
const COPY_DEADLINE_MS = 24 * 60 * 60_000;
// us-east-1, standard tier: aws.amazon.com/ebs/pricing.
const USD_PER_GIB_MONTH = 0.05;

/** What a build starts from: the snapshot of the root, and the mappings of the image that it belongs to. */
export type Base = Pick<SourceImage["root"], "snapshotId"> & Pick<Image, "blockDeviceMappings">;

/**
 * The copy of an image that an earlier build has made in this account.
 *
 * @returns undefined if there is none. The copy may not be finished yet, see `waitForCopy`, or may have failed.
 */
async function findCopy({ ec2 }: BuildContext, source: SourceImage): Promise<Image | undefined> {
  const tagged = await ec2.findImages({ owners: ["self"], filters: { [`tag:${COPY_TAG}`]: [source.imageId] } });
  const copies = tagged.filter(({ state }) => !isGoing(state));
  const inState = (wanted: string) => copies.find(({ state }) => state === wanted);
  return inState("available") ?? inState("pending") ?? copies[0];
}

/** The base that an earlier build has copied, ready to be read, or undefined. */
export async function earlierCopy(context: BuildContext, source: SourceImage): Promise<Base | undefined> {
  const found = await findCopy(context, source);
  const isUsable = found?.state === "available" || found?.state === "pending";
  return isUsable ? useCopy(context, source, found) : undefined;
}

/**
 * Copies an image into this account, once: builds that need it at the same time share the copy, and later ones find it.
 * It stays, also when the build fails.
 */
export async function copyBase(context: BuildContext, source: SourceImage, reason: string): Promise<Base> {
  // Also one that failed: while it is there, there is no other.
  const found = await findCopy(context, source);
  if (found !== undefined) return useCopy(context, source, found);
  context.emit({
    type: "message",
    text: `${source.imageId} is copied into this account, once: ${reason}. The copy stays, tagged ${COPY_TAG}=${source.imageId}, for the builds to come; ${describeStorage(source)}`,
  });
  return context.runStep(
    `Copying ${source.imageId} (${source.name}) into this account`,
    async (progress) => baseOf(await waitForCopy(context, await beginCopy(context, source), progress), progress),
    { isRepeatable: true },
  );
}

/** CopyImage copies the snapshot of every volume, not only the root's. */
function describeStorage({ blockDeviceMappings }: Image): string {
  const sizes = blockDeviceMappings.flatMap(({ ebs }) => (ebs?.snapshotId === undefined ? [] : (ebs.sizeGib ?? 0)));
  const sizeGib = sizes.reduce((sum, size) => sum + size, 0);
  const price = `up to $${(sizeGib * USD_PER_GIB_MONTH).toFixed(2)} a month at the price of us-east-1`;
  return sizes.length === 1 ? `its snapshot costs ${price}` : `its ${sizes.length} snapshots cost ${price}`;
}

async function useCopy(context: BuildContext, source: SourceImage, found: Image): Promise<Base> {
  return context.runStep(
    `Using the copy of ${source.imageId} in this account`,
    async (progress) => {
      const copy = found.state === "available" ? found : await waitForCopy(context, found.imageId, progress);
      return baseOf(copy, progress);
    },
    { isRepeatable: true },
  );
}

/** Has the copy made, or finds the one that another build was faster to begin. */
async function beginCopy(context: BuildContext, source: SourceImage): Promise<ImageId> {
  const plan = {
    sourceImageId: source.imageId,
    name: `amibake copy of ${source.imageId}`,
    description: `Copy of ${source.imageId}, for amibake to build on`,
    tags: { [COPY_TAG]: source.imageId },
    clientToken: randomUUID(),
  };
  try {
    return await context.ec2.copyImage(plan);
  } catch (error) {
    if (!hasCode(error, "InvalidAMIName.Duplicate")) throw error;
    const holder = await findHolder(context, plan.name);
    if (holder?.tags[COPY_TAG] === source.imageId) return holder.imageId;
    throw nameTaken(plan, holder, error);
  }
}

/** The image that has a name. One that was begun a moment ago may not be visible yet, and a disabled one never is. */
async function findHolder({ ec2, signal, clock }: BuildContext, name: string): Promise<Image | undefined> {
  const start = clock.now();
  const look = async (): Promise<Image | "none" | undefined> => {
    const [holder] = await ec2.findImages({ owners: ["self"], filters: { name: [name] }, includeDeprecated: true });
    return holder ?? (clock.now() - start >= VISIBLE_WITHIN_MS ? "none" : undefined);
  };
  // It ends by itself.
  const deadlineMs = 2 * VISIBLE_WITHIN_MS;
  const holder = await waitFor(look, { what: `the image "${name}"`, deadlineMs, signal, clock });
  return holder === "none" ? undefined : holder;
}

function nameTaken({ sourceImageId, name }: ImageCopyPlan, holder: Image | undefined, cause: unknown): ToolError {
  const message = `Cannot copy "${sourceImageId}" into this account: the name "${name}" is taken`;
  if (holder === undefined) {
    const hint = "EC2 does not show which image has it, so it may be a disabled one: enable or deregister it";
    return new ToolError("ERR_SOURCE_IMAGE", message, { cause, hint });
  }
  const { imageId } = holder;
  const hint = `If it is a copy of that image, tag it: aws ec2 create-tags --resources ${imageId} --tags Key=${COPY_TAG},Value=${sourceImageId}. If not, deregister it: ${deregisterCommand(imageId)}`;
  const detail = `by "${imageId}", which has no tag ${COPY_TAG}=${sourceImageId}`;
  return new ToolError("ERR_SOURCE_IMAGE", `${message} ${detail}`, { hint });
}

async function waitForCopy(context: BuildContext, imageId: ImageId, progress: StepProgress): Promise<Image> {
  const { ec2, polling, signal, clock } = context;
  let seenMs = clock.now();
  const look = async (): Promise<Image | undefined> => {
    // Asked by filter: an id that is not visible yet would be an error.
    const [copy] = await ec2.findImages({ owners: ["self"], filters: { "image-id": [imageId] } });
    if (copy === undefined && clock.now() - seenMs >= VISIBLE_WITHIN_MS) throw goneCopy(imageId);
    if (copy !== undefined) seenMs = clock.now();
    if (copy?.state === "available") return copy;
    if (copy !== undefined && copy.state !== "pending") throw failedCopy(copy);
    progress.tell(`${imageId} is ${copy?.state ?? "not visible yet"}`);
    return undefined;
  };
  const what = `the copy ${imageId} to become available`;
  return waitFor(look, { what, deadlineMs: COPY_DEADLINE_MS, polling, signal, clock });
}

function goneCopy(imageId: ImageId): ToolError {
  return new ToolError("ERR_IMAGE_FAILED", `Cannot use image "${imageId}", the copy to build on: it is gone`, {
    hint: "Somebody has deregistered it. Build again, and it is copied again",
  });
}

/** Its name is not free before it is deregistered. */
function failedCopy({ imageId, state, stateReason = "no reason given" }: Image): ToolError {
  return new ToolError(
    "ERR_IMAGE_FAILED",
    `Cannot use image "${imageId}", the copy to build on: its state is ${state}: ${stateReason}`,
    { hint: `Deregister it and build again, and it is copied again: ${deregisterCommand(imageId)}` },
  );
}

function deregisterCommand(imageId: ImageId): string {
  return `aws ec2 deregister-image --image-id ${imageId}`;
}

function baseOf(copy: Image, progress: StepProgress): Base {
  progress.tell(`${copy.imageId} is the copy`);
  return rootOf(copy);
}

function rootOf(copy: Image): Base {
  const root = copy.blockDeviceMappings.find(({ deviceName }) => deviceName === copy.rootDeviceName)?.ebs;
  if (root?.snapshotId === undefined) {
    throw new ToolError(
      "ERR_SOURCE_IMAGE",
      `Cannot build on "${copy.imageId}": it has no snapshot for its root device`,
      {
        hint: `Deregister it, and it is copied again: ${deregisterCommand(copy.imageId)}`,
      },
    );
  }
  return { snapshotId: root.snapshotId as SnapshotId, blockDeviceMappings: copy.blockDeviceMappings };
}

/**
 * Why a snapshot can be used only as a copy of the account's own, or undefined if the error says something else.
 *
 * @param source.isOwn whether the image belongs to the account. Its snapshot may be one that another account shares all the same.
 * @param source.isEncrypted whether its snapshot is encrypted.
 */
export function reasonToCopy(
  error: unknown,
  { isOwn, isEncrypted }: { readonly isOwn: boolean; readonly isEncrypted: boolean },
): string | undefined {
  const text = textOf(error);
  if (!isEncrypted && isOfEncryptionByDefault(text)) {
    return "its snapshot is not encrypted, and this account encrypts by default";
  }
  return isOfAnotherAccount(text) || (!isOwn && isHidden(text))
    ? "the blocks of a public snapshot cannot be read, nor can every shared one be built upon"
    : undefined;
}

/**
 * Tells what may help where EBS refuses a base, and a copy, which costs money, is not known to.
 *
 * @returns the error itself if it is about something else.
 */
export function withWayOut(
  error: unknown,
  { imageId, region }: { readonly imageId: ImageId; readonly region: string },
): unknown {
  if (!BASE_IS_INVALID.test(textOf(error))) return error;
  const copy = `aws ec2 copy-image --source-image-id ${imageId} --source-region ${region} --name NAME`;
  return new ToolError(
    "ERR_SOURCE_IMAGE",
    `Cannot build on "${imageId}": EBS refuses what a build asks of its snapshot`,
    {
      cause: error,
      hint: `Restore the snapshot if it is archived, and enable its KMS key if it has one. If it is neither, copy the image and build on the copy: ${copy}`,
    },
  );
}

/** The errors of the block server have crossed a process: their text is all that is the same. */
function textOf(error: unknown): string {
  return error instanceof ToolError ? error.message : "";
}

const BASE_IS_INVALID =
  /^Cannot (StartSnapshot|ListSnapshotBlocks)\b.*: ValidationException( \((INVALID_(SNAPSHOT_ID|PARAMETER_VALUE|CUSTOMER_KEY))\))?: /s;

/**
 * "Encryption outcomes for EBS direct APIs", EBS User Guide: StartSnapshot with an unencrypted parent. It names the
 * exception, but neither its reason nor its words.
 */
function isOfEncryptionByDefault(text: string): boolean {
  const isOfParent = /^Cannot StartSnapshot: ValidationException( \((INVALID_(SNAPSHOT_ID|PARAMETER_VALUE))\))?: /.test(
    text,
  );
  return isOfParent && /encrypt/i.test(text) && !/\bkms|\bkey\b/i.test(text);
}

/** Whether EBS refuses the snapshot for its owner. What a policy or a KMS key refuses, a copy does not mend. */
function isOfAnotherAccount(text: string): boolean {
  return /AccessDeniedException/.test(text) && !isOfPolicy(text) && !/DEPENDENCY_ACCESS_DENIED/.test(text);
}

/**
 * Whether EBS does not know a snapshot that is somebody else's, whose existence it need not admit. If there is none indeed,
 * CopyImage is refused too, and costs nothing.
 */
function isHidden(text: string): boolean {
  return /ResourceNotFoundException( \(SNAPSHOT_NOT_FOUND\))?: /.test(text);
}
