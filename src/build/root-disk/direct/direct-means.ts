import { dirname } from "node:path";
import { accountOf } from "../../../aws/caller-account.ts";
import { ToolError } from "../../../base/errors.ts";
import { together } from "../../../base/together.ts";
import { openBlockSource } from "../../../block-server/client.ts";
import { manifestStore } from "../../../snapshot-transfer/manifest-store.ts";
import type { AmazonDirectConfig } from "../../../template/schema/amazon-direct.ts";
import type { Access } from "../../access.ts";
import type { BuildHostOptions, FoundMeans } from "../../build-host.ts";

/** Finds out whose account it is. Nothing is asked of an instance, as there need not be one. */
export async function findDirectMeans(
  config: AmazonDirectConfig,
  access: Access,
  options: BuildHostOptions,
): Promise<FoundMeans> {
  const { environment, clock, own, signal, onRetry } = access;
  const [credentials, region, { createEbsApi }] = await together([
    access.credentials,
    access.region,
    import("../../../aws/ebs-sdk.ts"),
  ]);
  if (region === undefined) throw noRegion();
  const accountId = await accountOf({ ...access, region, credentials });
  const configured = options.localCloud === undefined ? config.custom_endpoint_ebs : undefined;
  const endpoint = configured || environment["AWS_ENDPOINT_URL_EBS"] || environment["AWS_ENDPOINT_URL"] || undefined;
  const ebs = createEbsApi({ region, credentials, endpoint, own, environment, signal, clock, onRetry });
  if (options.blockCache === undefined) throw new TypeError("amazon-direct needs a place for blocks");
  const cache = options.blockCache();
  return {
    means: {
      type: "amazon-direct",
      accountId,
      ebs,
      overlayDirectory: config.overlay_directory ?? dirname(cache.directory),
      openBlocks: async (snapshotId, { emit, signal: buildSignal, knownHashes }) =>
        openBlockSource({
          cacheDirectory: cache.directory,
          startCommand: cache.serverCommand,
          snapshot: { snapshotId, accountId, region, endpoint: await ebs.endpoint() },
          environment,
          credentials,
          knownHashes: new Map(
            [...knownHashes].map(({ blockIndex, sha256 }) => [blockIndex, Buffer.from(sha256).toString("hex")]),
          ),
          signal: buildSignal,
          onRetry,
          onMessage: (text) => emit({ type: "message", text }),
          // The image only sees an input/output error.
          onFailure: (error) =>
            emit({ type: "warning", text: `Blocks of ${snapshotId} cannot be read: ${error.message}` }),
        }),
      manifests: manifestStore(environment),
    },
    accountId,
    region,
    where: `account ${accountId} in ${region}`,
    [Symbol.dispose]: () => ebs[Symbol.dispose](),
  };
}

function noRegion(): ToolError {
  return new ToolError(
    "ERR_REGION",
    "Cannot build without a region: neither the template nor the environment names one",
    {
      fault: "usage",
      hint: 'Set AWS_REGION, or "region" in the template',
    },
  );
}
