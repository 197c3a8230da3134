// Imports the SDK: load it with `await import()`.
import {
  CompleteSnapshotCommand,
  EBSClient,
  GetSnapshotBlockCommand,
  ListChangedBlocksCommand,
  ListSnapshotBlocksCommand,
  PutSnapshotBlockCommand,
} from "@aws-sdk/client-ebs";
import { SNAPSHOT_BLOCK_BYTES } from "../base/units.ts";
import { ZERO_BLOCK, ZERO_BLOCK_SHA256 } from "../base/zero-block.ts";
import { type AwsError, isOfPolicy } from "./aws-error.ts";
import { askForEach, type CheckPermissionsOptions, type PermissionCheck, type Verdict } from "./permission-check.ts";

// Well-formed and, all but surely, nobody's: reading finds nothing, and nothing can be written to it.
const SnapshotId = "snap-00000000000000000";

/**
 * Asks EBS for the permissions of the EBS direct APIs. They have no dry run: each is called for a snapshot that does not
 * exist, which EBS says only to those who may ask.
 *
 * StartSnapshot makes something, so it is not called.
 */
export async function checkEbsPermissions(options: CheckPermissionsOptions): Promise<PermissionCheck[]> {
  const { region, credentials, endpoint } = options;
  const client = new EBSClient({
    region,
    credentials,
    maxAttempts: 3,
    ...(endpoint === undefined ? {} : { endpoint }),
  });
  const calls: Parameters<typeof askForEach>[0] = {
    ListSnapshotBlocks: (send) => client.send(new ListSnapshotBlocksCommand({ SnapshotId }), send),
    ListChangedBlocks: (send) =>
      client.send(new ListChangedBlocksCommand({ FirstSnapshotId: SnapshotId, SecondSnapshotId: SnapshotId }), send),
    GetSnapshotBlock: (send) =>
      client.send(new GetSnapshotBlockCommand({ SnapshotId, BlockIndex: 0, BlockToken: "AAAB" }), send),
    PutSnapshotBlock: (send) =>
      client.send(
        new PutSnapshotBlockCommand({
          SnapshotId,
          BlockIndex: 0,
          BlockData: ZERO_BLOCK,
          DataLength: SNAPSHOT_BLOCK_BYTES,
          Checksum: ZERO_BLOCK_SHA256.toString("base64"),
          ChecksumAlgorithm: "SHA256",
        }),
        send,
      ),
    CompleteSnapshot: (send) => client.send(new CompleteSnapshotCommand({ SnapshotId, ChangedBlocksCount: 0 }), send),
  };
  try {
    const verdicts = await askForEach(calls, { ...options, service: "EBS", judge });
    const notAsked: Verdict = {
      verdict: "unknown",
      detail: "EBS has no dry run, and the call itself makes a snapshot",
    };
    return [...verdicts.set("StartSnapshot", notAsked)].map(([action, verdict]) => ({
      action: `ebs:${action}`,
      builders: ["amazon-direct"],
      ...verdict,
    }));
  } finally {
    client.destroy();
  }
}

function judge({ awsCode, message }: AwsError): Verdict {
  if (awsCode === "ResourceNotFoundException") return { verdict: "allowed", detail: "" };
  const isRefused = awsCode === "AccessDeniedException" && isOfPolicy(message);
  return { verdict: isRefused ? "refused" : "unknown", detail: message };
}
