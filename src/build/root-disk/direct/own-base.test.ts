import assert from "node:assert/strict";
import { test } from "node:test";
import { AwsError } from "../../../aws/aws-error.ts";
import type { Image, ImageCopyPlan, ImageQuery } from "../../../aws/ec2-api.ts";
import { messageOf, ToolError } from "../../../base/errors.ts";
import type { ImageId } from "../../../base/ids.ts";
import { NEVER } from "../../../base/never.ts";
import type { BuildContext } from "../../build-context.ts";
import type { SourceImage } from "../../image/find-source-image.ts";
import { copyBase, earlierCopy, reasonToCopy, withWayOut } from "./own-base.ts";

const SOURCE = {
  imageId: "ami-source",
  name: "theirs",
  root: { snapshotId: "snap-source", sizeGib: 8 },
  blockDeviceMappings: [
    { deviceName: "/dev/xvda", ebs: { snapshotId: "snap-source", sizeGib: 8 } },
    { deviceName: "/dev/sdf", ebs: { snapshotId: "snap-data", sizeGib: 4 } },
    { deviceName: "/dev/sdg", ebs: { sizeGib: 100 } },
    { deviceName: "/dev/sdh", virtualName: "ephemeral0" },
  ],
};
const NAME = "amibake copy of ami-source";

function image(imageId: string, more: Partial<Image> = {}): Image {
  const tags = { "amibake:copy-of": "ami-source" };
  const blockDeviceMappings = [{ deviceName: "/dev/xvda", ebs: { snapshotId: `snap-of-${imageId}` } }];
  const about = { imageId, name: NAME, state: "available", tags, rootDeviceName: "/dev/xvda", blockDeviceMappings };
  return { ...about, ...more } as Image;
}

/** What a build on an image of this account starts from. */
function baseOf(imageId: string): object {
  return { snapshotId: `snap-of-${imageId}`, blockDeviceMappings: image(imageId).blockDeviceMappings };
}

/** How a copy that is made fares: what EC2 shows of it, look after look; the last for ever. */
type Fate = readonly (Partial<Image> | "hidden")[];

/** An account with some images, in which a build runs whose waits take no time. */
function account(
  images: readonly Image[],
  { fate = [{}], isDisabled = false, fasterId }: { fate?: Fate; isDisabled?: boolean; fasterId?: string } = {},
) {
  const told: string[] = [];
  const copied: string[] = [];
  const all = [...images];
  let looks = 0;
  let nowMs = 0;
  const shown = (): Image[] => {
    if (copied.length === 0) return all;
    const now = fate[Math.min(looks++, fate.length - 1)] ?? "hidden";
    return now === "hidden" ? all : [...all, image("ami-copied", now)];
  };
  const ec2 = {
    async findImages({ filters = {} }: ImageQuery) {
      const { "image-id": ids, name: names, "tag:amibake:copy-of": sources } = filters;
      return shown().filter(
        ({ imageId, name, tags }) =>
          (ids?.includes(imageId) ?? true) &&
          (names?.includes(name) ?? true) &&
          (sources?.includes(tags["amibake:copy-of"] ?? "") ?? true),
      );
    },
    async copyImage({ name }: ImageCopyPlan) {
      if (fasterId !== undefined) all.push(image(fasterId));
      if (isDisabled || all.some((one) => one.name === name)) {
        throw new AwsError("CopyImage", "InvalidAMIName.Duplicate", `AMI name ${name} is already in use by AMI ami-it`);
      }
      copied.push("ami-copied");
      return "ami-copied";
    },
  };
  const context = {
    ec2,
    polling: undefined,
    signal: NEVER,
    clock: {
      now: () => nowMs,
      async sleep(durationMs: number) {
        nowMs += durationMs;
      },
    },
    emit: ({ text }: { text: string }) => told.push(text),
    runStep: (_title: string, work: (progress: object) => unknown) => work({ tell: (text: string) => told.push(text) }),
  } as unknown as BuildContext;
  const source = SOURCE as unknown as SourceImage;
  return {
    copied,
    told,
    elapsedMs: () => nowMs,
    earlier: () => earlierCopy(context, source),
    copy: () => copyBase(context, source, "it is theirs"),
  };
}

test("copyBase() copies the image, and tells how that goes until it can be built on", async () => {
  const { copy, told } = account([], { fate: ["hidden", { state: "pending" }, { state: "pending" }, {}] });
  assert.deepEqual(await copy(), baseOf("ami-copied"));
  assert.match(told[0] ?? "", /^ami-source is copied into this account, once: it is theirs\. /);
  // Of the volumes that are made of snapshots: 8 and 4 GiB.
  assert.match(told[0] ?? "", /; its 2 snapshots cost up to \$0\.60 a month at the price of us-east-1$/);
  const pending = "ami-copied is pending";
  assert.deepEqual(told.slice(1), ["ami-copied is not visible yet", pending, pending, "ami-copied is the copy"]);
});

test("copyBase() fails at once where the copy does, with EC2's reason and what frees its name", async () => {
  const failure = {
    code: "ERR_IMAGE_FAILED",
    message: 'Cannot use image "ami-copied", the copy to build on: its state is failed: no room',
    hint: "Deregister it and build again, and it is copied again: aws ec2 deregister-image --image-id ami-copied",
  };
  const first = account([], { fate: [{ state: "pending" }, { state: "failed", stateReason: "no room" }] });
  await assert.rejects(first.copy(), failure);
  // So does the next build: the failed image keeps the name.
  const next = account([image("ami-copied", { state: "failed", stateReason: "no room" })]);
  assert.equal(await next.earlier(), undefined);
  await assert.rejects(next.copy(), failure);
  assert.deepEqual(next.told, []);
});

test("copyBase() tells of no copy, nor of its price, where there is one", async () => {
  const { copy, copied, told } = account([image("ami-earlier")]);
  assert.deepEqual(await copy(), baseOf("ami-earlier"));
  assert.deepEqual([copied, told], [[], ["ami-earlier is the copy"]]);
});

test("copyBase() shares a copy that another build was faster to begin", async () => {
  const { copy, copied } = account([], { fasterId: "ami-faster" });
  assert.deepEqual(await copy(), baseOf("ami-faster"));
  assert.deepEqual(copied, []);
});

test("copyBase() does not wait for an image that only has the copy's name, and says which one that is", async () => {
  const { copy, elapsedMs } = account([image("ami-else", { tags: {} })]);
  await assert.rejects(copy(), {
    code: "ERR_SOURCE_IMAGE",
    message: `Cannot copy "ami-source" into this account: the name "${NAME}" is taken by "ami-else", which has no tag amibake:copy-of=ami-source`,
    hint: /aws ec2 create-tags --resources ami-else .*aws ec2 deregister-image --image-id ami-else$/,
  } as object);
  assert.equal(elapsedMs(), 0);
});

test("copyBase() looks for a minute for who has the copy's name, and no longer", async () => {
  const { copy, elapsedMs } = account([], { isDisabled: true });
  await assert.rejects(copy(), ({ hint, cause }: ToolError) => {
    assert.match(hint ?? "", /it may be a disabled one/);
    assert.match(messageOf(cause), /already in use by AMI ami-it/);
    return true;
  });
  assert.ok(elapsedMs() >= 60_000 && elapsedMs() < 120_000, `${elapsedMs()} ms`);
});

test("a copy that is gone while it is waited for is no longer waited for", async () => {
  const { copy, elapsedMs } = account([], { fate: [{ state: "pending" }, "hidden"] });
  await assert.rejects(copy(), {
    code: "ERR_IMAGE_FAILED",
    message: /"ami-copied", the copy to build on: it is gone$/,
  });
  assert.ok(elapsedMs() < 120_000, `${elapsedMs()} ms`);
});

function refusal(code: string, reason: string | undefined, detail: string): AwsError {
  return new AwsError("StartSnapshot", code, detail, { reason });
}

const DENIED =
  "User: arn:aws:iam::1:user/u is not authorized to perform: ebs:StartSnapshot because no identity-based policy allows the ebs:StartSnapshot action";
const NOT_ITS_OWN = "The account is not authorized to access the snapshot 'snap-1'.";

const OWN = { isOwn: true, isEncrypted: false };
const FOREIGN = { isOwn: false, isEncrypted: false };

test("reasonToCopy() finds one where EBS refuses the snapshot itself", () => {
  for (const error of [
    refusal("AccessDeniedException", "UNAUTHORIZED_ACCOUNT", NOT_ITS_OWN),
    refusal("ResourceNotFoundException", "SNAPSHOT_NOT_FOUND", "The snapshot 'snap-1' does not exist."),
    // As it comes from the block server.
    new ToolError("ERR_AWS", `Cannot ListSnapshotBlocks: AccessDeniedException (UNAUTHORIZED_ACCOUNT): ${NOT_ITS_OWN}`),
  ]) {
    assert.match(reasonToCopy(error, FOREIGN) ?? "", /public snapshot/, error.message);
  }
});

test("reasonToCopy() finds none where the copy, which costs money, would be refused too", () => {
  for (const error of [
    refusal("AccessDeniedException", "UNAUTHORIZED_ACCOUNT", DENIED),
    refusal(
      "AccessDeniedException",
      undefined,
      DENIED.replace(/because .*/, "with an explicit deny in a permissions boundary"),
    ),
    refusal("AccessDeniedException", "DEPENDENCY_ACCESS_DENIED", "The KMS key cannot be used."),
    refusal("ValidationException", "INVALID_TAG", "A tag key starts with 'aws:'."),
    refusal("ValidationException", "INVALID_SNAPSHOT_ID", "The parent snapshot 'snap-1' is archived."),
    refusal("ValidationException", undefined, "The parent snapshot 'snap-1' cannot be used."),
    refusal("ResourceNotFoundException", "DEPENDENCY_RESOURCE_NOT_FOUND", "The KMS key does not exist."),
    refusal(
      "ValidationException",
      "INVALID_VOLUME_SIZE",
      "The volume size 1 GiB is smaller than that of the parent snapshot.",
    ),
    new ToolError("ERR_AWS", `Cannot ListSnapshotBlocks: AccessDeniedException: ${DENIED}`),
    new Error("AccessDeniedException"),
  ]) {
    assert.equal(reasonToCopy(error, FOREIGN), undefined, error.message);
  }
});

test("reasonToCopy() finds one for an own image only where its snapshot is somebody else's", () => {
  assert.ok(reasonToCopy(refusal("AccessDeniedException", "UNAUTHORIZED_ACCOUNT", NOT_ITS_OWN), OWN));
  for (const error of [
    refusal("AccessDeniedException", "UNAUTHORIZED_ACCOUNT", DENIED),
    refusal("ResourceNotFoundException", "SNAPSHOT_NOT_FOUND", "The snapshot 'snap-1' does not exist."),
    refusal("ValidationException", "INVALID_SNAPSHOT_ID", "The parent snapshot 'snap-1' cannot be used."),
  ]) {
    assert.equal(reasonToCopy(error, OWN), undefined, error.message);
  }
});

const NOT_ENCRYPTED = "The parent snapshot is not encrypted, and the account has encryption by default enabled.";

test("reasonToCopy() finds one for an unencrypted parent in an account that encrypts by default, for no other word of encryption", () => {
  for (const reason of ["INVALID_PARAMETER_VALUE", "INVALID_SNAPSHOT_ID", undefined]) {
    const error = refusal("ValidationException", reason, NOT_ENCRYPTED);
    for (const source of [OWN, FOREIGN]) assert.match(reasonToCopy(error, source) ?? "", /encrypts by default/);
    assert.equal(reasonToCopy(error, { isOwn: true, isEncrypted: true }), undefined);
  }
  for (const error of [
    refusal("ValidationException", "INVALID_CUSTOMER_KEY", "The key for encryption is not valid."),
    refusal("ValidationException", undefined, "The KMS key cannot be used for encryption: it is disabled."),
    refusal("ValidationException", "INVALID_TAG", "A tag 'encrypted' is not valid."),
    new AwsError("ListSnapshotBlocks", "ValidationException", NOT_ENCRYPTED),
  ]) {
    assert.equal(reasonToCopy(error, OWN), undefined, error.message);
    assert.equal(reasonToCopy(error, FOREIGN), undefined, error.message);
  }
});

test("withWayOut() tells what may help where EBS refuses the base, and leaves other errors as they are", () => {
  const source = { imageId: "ami-source" as ImageId, region: "eu-west-1" };
  for (const error of [
    refusal("ValidationException", "INVALID_SNAPSHOT_ID", "The parent snapshot 'snap-1' is archived."),
    refusal("ValidationException", "INVALID_CUSTOMER_KEY", "The key for encryption is not valid."),
    refusal("ValidationException", undefined, "The parent snapshot cannot be used."),
    // As it comes from the block server.
    new ToolError("ERR_AWS", "Cannot ListSnapshotBlocks of snap-1: ValidationException (INVALID_SNAPSHOT_ID): no"),
  ]) {
    const told = withWayOut(error, source) as ToolError;
    assert.equal(told.code, "ERR_SOURCE_IMAGE");
    assert.match(told.message, /^Cannot build on "ami-source": EBS refuses/);
    assert.match(
      told.hint ?? "",
      /archived.*KMS key.*copy-image --source-image-id ami-source --source-region eu-west-1 /,
    );
    assert.equal(told.cause, error);
  }
  for (const error of [
    refusal("ValidationException", "INVALID_TAG", "A tag key starts with 'aws:'."),
    refusal("AccessDeniedException", "DEPENDENCY_ACCESS_DENIED", "The KMS key cannot be used."),
    new AwsError("PutSnapshotBlock", "ValidationException", "no"),
    new Error("ValidationException"),
  ]) {
    assert.equal(withWayOut(error, source), error);
  }
});
