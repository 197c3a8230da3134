// The way to the EBS direct APIs of an account, or of the local cloud.
import { accountOf } from "../../aws/caller-account.ts";
import { findCredentials, findRegion } from "../../aws/credentials.ts";
import type { EbsApi } from "../../aws/ebs-api.ts";
import { createEbsApi } from "../../aws/ebs-sdk.ts";
import type { Ec2Api } from "../../aws/ec2-api.ts";
import { createEc2Api } from "../../aws/ec2-sdk.ts";
import { OwnResources } from "../../aws/own-resources.ts";
import { AsyncDisposableStack } from "../../base/async-disposable-stack.ts";
import { systemClock } from "../../base/clock.ts";
import { together } from "../../base/together.ts";
import type { TransferPlace } from "../../snapshot-transfer/upload-record.ts";
import type { CliContext } from "../cli-context.ts";
import { usageError } from "../usage-error.ts";
import { regionOfInstance } from "./clean-tag-place.ts";
import { connectToStore, localStoreDirectory, storeOfEnvironment } from "./local-store.ts";

export interface PlaceOptions {
  readonly region?: string;
  readonly profile?: string;
  readonly local?: boolean;
  readonly store?: string;
  readonly json?: boolean;
}

export interface TransferConnection extends AsyncDisposable {
  readonly ebs: EbsApi;
  readonly ec2: Ec2Api;
  /** Asks whose the account is. */
  place(): Promise<TransferPlace>;
}

export interface ConnectOptions {
  readonly signal: AbortSignal;
  readonly onRetry: (call: string, attempt: number, reason: string) => void;
}

/** @throws {ToolError} if there are no credentials, or no region is known. */
export async function connectForTransfer(
  options: PlaceOptions,
  context: CliContext,
  { signal, onRetry }: ConnectOptions,
): Promise<TransferConnection> {
  checkOptions(options);
  await using undo = new AsyncDisposableStack();
  const lease = options.local
    ? undo.use(await connectToStore(localStoreDirectory(options, context.environment), context, signal))
    : undefined;
  const environment = { ...context.environment, ...lease?.environment };
  const store = lease === undefined ? await storeOfEnvironment(environment) : lease.status.settings.storeDirectory;
  const access = { region: options.region, profile: options.profile };
  const [credentials, namedRegion] = await together([
    findCredentials(access, environment, (secret) => context.secrets.add(secret)),
    findRegion(access, environment),
  ]);
  const region = namedRegion ?? (await regionOfInstance({ environment, signal }));
  const endpointOf = (service: "EBS" | "EC2") =>
    environment[`AWS_ENDPOINT_URL_${service}`] || environment["AWS_ENDPOINT_URL"] || undefined;
  const own = new OwnResources(systemClock);
  const shared = { region, credentials, environment, own, signal, clock: systemClock, onRetry };
  const ebs = createEbsApi({ ...shared, endpoint: endpointOf("EBS") });
  undo.defer(() => ebs[Symbol.dispose]());
  const ec2 = createEc2Api({ ...shared, endpoint: endpointOf("EC2") });
  undo.defer(() => ec2[Symbol.dispose]());
  const owned = undo.move();
  return {
    ebs,
    ec2,
    async place() {
      const accountId = await accountOf({ ...shared, endpoint: endpointOf("EC2") });
      const endpoints = { endpoint: endpointOf("EC2"), ebsEndpoint: endpointOf("EBS") };
      return { accountId, region, store, ...endpoints, profile: options.profile };
    },
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

function checkOptions({ local, store, profile }: PlaceOptions): void {
  if (store !== undefined && !local) throw usageError("Cannot use --store without --local", "Add --local");
  if (profile !== undefined && local) {
    throw usageError("Cannot use --profile with --local", "Leave it out: the local cloud has credentials of its own");
  }
}
