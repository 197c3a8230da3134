import { randomUUID } from "node:crypto";
import { hasCode } from "../../../aws/aws-error.ts";
import type { Image } from "../../../aws/ec2-api.ts";
import { waitFor } from "../../../aws/wait.ts";
import { ToolError } from "../../../base/errors.ts";
import type { SnapshotId } from "../../../base/ids.ts";
import type { BuildContext, StepProgress } from "../../build-context.ts";
import type { SourceImage } from "../../image/find-source-image.ts";

/** The key of the tag by which the account's own copy of somebody else's image is found again. Its value is that image. */
const COPY_TAG = "amibake:copy-of";

// CopyImage takes minutes, and for large images longer; AWS gives no bound.
const COPY_DEADLINE_MS = 24 * 60 * 60_000;
// us-east-1, standard tier: aws.amazon.com/ebs/pricing.
const USD_PER_GIB_MONTH = 0.05;

/** The snapshot that a build starts from. */
export type Base = Pick<SourceImage["root"], "snapshotId">;

/**
 * The copy of an image that an earlier build has made in this account.
 *
 * @returns undefined if there is none; the copy may not be finished yet, see `waitForCopy`.
 */
async function findCopy({ ec2 }: BuildContext, source: SourceImage): Promise<Image | undefined> {
  const copies = await ec2.findImages({ owners: ["self"], filters: { [`tag:${COPY_TAG}`]: [source.imageId] } });
  const usable = copies.filter(({ state }) => state === "available" || state === "pending");
  // One that is ready before one that is not.
  return usable.toSorted((a, b) => a.state.localeCompare(b.state))[0];
}

/** The base that an earlier build has copied, ready to be read, or undefined. */
export async function earlierCopy(context: BuildContext, source: SourceImage): Promise<Base | undefined> {
  const found = await findCopy(context, source);
  if (found === undefined) return undefined;
  return context.runStep(
    `Using the copy of ${source.imageId} in this account`,
    (progress) => waitForCopy(context, source, found, progress),
    { isRepeatable: true },
  );
}

/**
 * Copies an image into this account, once: builds that need it at the same time share the copy, and later ones find it.
 * It stays, also when the build fails.
 */
export async function copyBase(context: BuildContext, source: SourceImage, reason: string): Promise<Base> {
  const { ec2, emit } = context;
  const price = (source.root.sizeGib * USD_PER_GIB_MONTH).toFixed(2);
  emit({
    type: "message",
    text: `${source.imageId} is copied into this account, once: ${reason}. The copy stays, tagged ${COPY_TAG}=${source.imageId}, for the builds to come; its snapshot costs up to $${price} a month`,
  });
  return context.runStep(
    `Copying ${source.imageId} (${source.name}) into this account`,
    async (progress) => {
      const plan = {
        sourceImageId: source.imageId,
        name: `amibake copy of ${source.imageId}`,
        description: `Copy of ${source.imageId}, for amibake to build on`,
        tags: { [COPY_TAG]: source.imageId },
        clientToken: randomUUID(),
      };
      try {
        await ec2.copyImage(plan);
      } catch (error) {
        // Another build was faster; and where it was not, waiting for the copy says so.
        if (!hasCode(error, "InvalidAMIName.Duplicate")) throw error;
      }
      return waitForCopy(context, source, undefined, progress);
    },
    { isRepeatable: true },
  );
}

async function waitForCopy(
  context: BuildContext,
  source: SourceImage,
  known: Image | undefined,
  progress: StepProgress,
): Promise<Base> {
  const { polling, signal, clock } = context;
  const look = async (): Promise<Image | undefined> => {
    const copy = known?.state === "available" ? known : await findCopy(context, source);
    if (copy?.state === "available") return copy;
    if (copy !== undefined) progress.tell(`${copy.imageId} is pending`);
    return undefined;
  };
  const what = `the copy of ${source.imageId} to become available`;
  const copy = await waitFor(look, { what, deadlineMs: COPY_DEADLINE_MS, polling, signal, clock });
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
        hint: `Deregister it, and it is copied again: aws ec2 deregister-image --image-id ${copy.imageId}`,
      },
    );
  }
  return { snapshotId: root.snapshotId as SnapshotId };
}

/**
 * Why a snapshot can be used only as a copy of the account's own, or undefined if the error says something else.
 *
 * @param isOwn whether the snapshot belongs to the account.
 */
export function reasonToCopy(error: unknown, isOwn: boolean): string | undefined {
  // The errors of the block server have crossed a process: their text is all that is the same.
  const text = error instanceof ToolError ? error.message : "";
  if (/ValidationException/.test(text) && /encrypt/i.test(text)) {
    return "its snapshot is not encrypted, and this account encrypts by default";
  }
  if (isOwn) return undefined;
  const isRefused = /AccessDenied|ValidationException|ResourceNotFoundException|UnauthorizedOperation/.test(text);
  return isRefused
    ? "the blocks of a public snapshot cannot be read, nor can every shared one be built upon"
    : undefined;
}
