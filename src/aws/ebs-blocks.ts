// The data plane of the EBS direct APIs. Not by the SDK, which hashes each block once more to sign it, and takes three
// times as long: docs/performance.md.
import { createHash } from "node:crypto";
import { SNAPSHOT_BLOCK_BYTES } from "../base/units.ts";
import { DAMAGED_ON_THE_WAY } from "./aws-error.ts";
import type { Credentials } from "./credentials.ts";
import type { BlockAddress, HashedBlock } from "./ebs-api.ts";
import type { EbsTransport } from "./ebs-transport.ts";
import type { HttpResponse } from "./http-response-reader.ts";
import type { RequestSigner } from "./sign-request.ts";

export interface BlockCalls {
  put(snapshotId: string, block: HashedBlock, signal: AbortSignal): Promise<void>;
  /** @param target where the data go, `SNAPSHOT_BLOCK_BYTES` long. */
  get(
    snapshotId: string,
    address: BlockAddress,
    options: { readonly signal: AbortSignal; readonly target: Uint8Array },
  ): Promise<HashedBlock>;
}

/** One attempt of a call at a time: what came back damaged is an error like any other. */
export function blockCalls(options: {
  readonly transport: EbsTransport;
  readonly signer: RequestSigner;
  readonly credentials: () => Promise<Credentials>;
  /** What stands before the paths of EBS in the endpoint's URL, without a slash at its end. */
  readonly basePath: string;
}): BlockCalls {
  const { transport, signer, credentials, basePath } = options;
  return {
    async put(snapshotId, { blockIndex, data, sha256 }, signal) {
      const checksum = Buffer.from(sha256.buffer, sha256.byteOffset, sha256.byteLength).toString("base64");
      const headers = {
        "content-type": "application/octet-stream",
        "x-amz-checksum": checksum,
        "x-amz-checksum-algorithm": "SHA256",
        "x-amz-data-length": String(SNAPSHOT_BLOCK_BYTES),
      };
      const path = `${basePath}/snapshots/${snapshotId}/blocks/${blockIndex}`;
      const signed = signer.sign({ method: "PUT", path, query: {}, headers }, await credentials(), Date.now());
      const answer = await transport.send({ method: "PUT", ...signed, body: data }, signal);
      const stored = answer.headers.get("x-amz-checksum");
      if (stored !== checksum) throw damaged(`EBS acknowledges the hash ${stored}, not ${checksum}`);
    },

    async get(snapshotId, { blockIndex, blockToken }, { signal, target }) {
      const path = `${basePath}/snapshots/${snapshotId}/blocks/${blockIndex}`;
      const request = { method: "GET", path, query: { blockToken }, headers: {} } as const;
      const signed = signer.sign(request, await credentials(), Date.now());
      const answer = await transport.send({ method: "GET", ...signed, target }, signal);
      return { blockIndex, data: target, sha256: verifiedHash(answer) };
    },
  };
}

function verifiedHash({ headers, body }: HttpResponse): Buffer {
  if (body.length !== SNAPSHOT_BLOCK_BYTES) throw damaged(`the block has ${body.length} bytes`);
  const sha256 = createHash("sha256").update(body).digest();
  const expected = headers.get("x-amz-checksum");
  const actual = sha256.toString("base64");
  if (actual !== expected) throw damaged(`the block has the hash ${actual}, not ${expected}`);
  return sha256;
}

function damaged(detail: string): Error {
  return Object.assign(new Error(detail), { code: DAMAGED_ON_THE_WAY });
}
