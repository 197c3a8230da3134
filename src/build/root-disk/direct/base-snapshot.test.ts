import assert from "node:assert/strict";
import { test } from "node:test";
import { AwsError } from "../../../aws/aws-error.ts";
import type { ToolError } from "../../../base/errors.ts";
import { NEVER } from "../../../base/never.ts";
import type { SourceImage } from "../../image/find-source-image.ts";
import { openBase } from "./base-snapshot.ts";
import type { DirectContext } from "./direct-root-disk.ts";

test("openBase() makes no copy for a ValidationException that is not about encryption by default, and tells the way out", async () => {
  const calls: string[] = [];
  const called = (name: string) => async () => {
    calls.push(name);
    return [];
  };
  const detail = "The parent snapshot 'snap-1' is archived. Its encryption does not matter.";
  const refusal = (reason: string) => new AwsError("StartSnapshot", "ValidationException", detail, { reason });
  const contextWith = (error: AwsError) =>
    ({
      buildName: "b",
      config: { tags: [], snapshot_tags: [] },
      ec2: { region: "us-east-1", releasing: {}, findImages: called("findImages"), copyImage: called("copyImage") },
      journal: { draftTags: {}, intend: async () => ({ gone: called("gone") }) },
      signal: NEVER,
      runStep: (_title: string, work: (progress: object) => unknown) => work({ tell() {} }),
      means: {
        accountId: "111122223333",
        manifests: { read: async () => undefined },
        openBlocks: () => Promise.reject(error),
        ebs: { startSnapshot: () => Promise.reject(error) },
      },
    }) as unknown as DirectContext;
  const root = { snapshotId: "snap-1", sizeGib: 8, encrypted: true };
  const source = { imageId: "ami-1", ownerId: "444455556666", root, blockDeviceMappings: [] };
  const open = (error: AwsError) =>
    openBase(contextWith(error), source as unknown as SourceImage, { sizeGib: 8, variables: {} });

  const archived = refusal("INVALID_SNAPSHOT_ID");
  await assert.rejects(open(archived), ({ code, hint, cause }: ToolError) => {
    assert.equal(code, "ERR_SOURCE_IMAGE");
    assert.match(hint ?? "", /archived.*aws ec2 copy-image --source-image-id ami-1 --source-region us-east-1/);
    return cause === archived;
  });
  const tag = refusal("INVALID_TAG");
  await assert.rejects(open(tag), (error) => error === tag);
  assert.deepEqual(calls, ["findImages", "gone", "findImages", "gone"]);
});
