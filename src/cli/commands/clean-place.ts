// The way to the account or the local cloud of a build, or an upload, that died.
import { accountOf } from "../../aws/caller-account.ts";
import { findCredentials } from "../../aws/credentials.ts";
import { createEc2Api } from "../../aws/ec2-sdk.ts";
import { readInstanceIdentity } from "../../aws/imds.ts";
import { AsyncDisposableStack } from "../../base/async-disposable-stack.ts";
import { systemClock } from "../../base/clock.ts";
import { ToolError } from "../../base/errors.ts";
import type { PlaceConnection } from "../../build/clean/clean-builds.ts";
import type { UploadPlaceConnection } from "../../build/clean/clean-uploads.ts";
import type { BuildPlace } from "../../build/journal/journal-entries.ts";
import { isStore } from "../../local-cloud/reset-store.ts";
import type { TransferPlace } from "../../snapshot-transfer/upload-record.ts";
import type { CliContext } from "../cli-context.ts";
import { connectToStore } from "./local-store.ts";

export interface PlaceContext extends Pick<CliContext, "environment" | "selfCommand" | "secrets"> {
  readonly signal: AbortSignal;
  readonly onRetry: (call: string, attempt: number, reason: string) => void;
}

/** Of a build, or of an upload: that one may need the EBS direct APIs. */
export type CleanPlace = BuildPlace & Pick<TransferPlace, "ebsEndpoint">;

/**
 * Reaches the place of a build with the credentials of today.
 *
 * @returns undefined for a local cloud that was deleted and begun anew.
 * @throws {ToolError} if it cannot be reached, or the credentials are of another account: there, everything of the build
 * would seem to be gone.
 */
export async function connectToPlace(
  place: CleanPlace,
  context: PlaceContext,
): Promise<UploadPlaceConnection | undefined> {
  return place.store === undefined
    ? connectToAccount(place, context)
    : connectToLocalCloud(place.store, place, context);
}

async function connectToLocalCloud(
  store: string,
  place: BuildPlace,
  context: PlaceContext,
): Promise<UploadPlaceConnection | undefined> {
  if (!(await isStore(store))) {
    throw new ToolError("ERR_NO_STORE", `Cannot find the local cloud in "${store}"`, {
      fault: "host",
      hint: "Mount its disk if it is elsewhere. If it was deleted, forget its builds: amibake clean --forget BUILD",
    });
  }
  await using undo = new AsyncDisposableStack();
  const lease = undo.use(await connectToStore(store, context, context.signal));
  // Another account: the store was deleted, and begun anew.
  if ((await readInstanceIdentity(lease.environment, context)).accountId !== place.accountId) return undefined;
  const endpoint = lease.environment["AWS_ENDPOINT_URL"];
  const connection = await connect(
    { ...place, endpoint, ebsEndpoint: endpoint },
    { ...context, environment: lease.environment },
  );
  undo.defer(() => connection.close());
  const owned = undo.move();
  return { ec2: connection.ec2, ebs: connection.ebs, [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose]() };
}

async function connectToAccount(place: CleanPlace, context: PlaceContext): Promise<UploadPlaceConnection> {
  const { ec2, ebs, credentials, close } = await connect(place, context);
  try {
    const accountId = await accountOf({
      region: place.region,
      endpoint: place.endpoint,
      credentials,
      environment: context.environment,
      signal: context.signal,
      clock: systemClock,
      onRetry: context.onRetry,
    });
    if (accountId !== place.accountId) throw wrongAccount(place, accountId);
    return { ec2, ebs, [Symbol.asyncDispose]: async () => close() };
  } catch (error) {
    close();
    throw error;
  }
}

/** Where the environment points, in one region. */
export async function connectToEnvironment(region: string, context: PlaceContext): Promise<PlaceConnection> {
  const { environment } = context;
  const endpoint = environment["AWS_ENDPOINT_URL_EC2"] || environment["AWS_ENDPOINT_URL"] || undefined;
  const { ec2 } = await connect({ accountId: "", region, endpoint }, context);
  return { ec2, [Symbol.asyncDispose]: async () => ec2[Symbol.dispose]() };
}

async function connect(place: CleanPlace, context: PlaceContext) {
  const { region, endpoint, ebsEndpoint, profile, sharedCredentialsFile } = place;
  const { environment, signal, onRetry, secrets } = context;
  const access = { profile, shared_credentials_file: sharedCredentialsFile };
  const credentials = await findCredentials(access, environment, (secret) => secrets.add(secret));
  const shared = { region, credentials, environment, signal, clock: systemClock, onRetry };
  const ec2 = createEc2Api({ ...shared, endpoint });
  const closing: Disposable[] = [ec2];
  return {
    ec2,
    credentials,
    async ebs() {
      const { createEbsApi } = await import("../../aws/ebs-sdk.ts");
      const api = createEbsApi({ ...shared, endpoint: ebsEndpoint });
      closing.push(api);
      return api;
    },
    close() {
      for (const api of closing) api[Symbol.dispose]();
    },
  };
}

function wrongAccount(place: BuildPlace, accountId: string): ToolError {
  return new ToolError(
    "ERR_ACCOUNT",
    `Cannot clean up in account ${place.accountId} with credentials of account ${accountId}`,
    { fault: "usage", hint: `Set AWS_PROFILE, or the keys in the environment, to account ${place.accountId}` },
  );
}
