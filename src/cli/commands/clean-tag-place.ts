// Where `clean --by-tag` looks: one account and region, as the environment says, or the local cloud.
import { findRegion } from "../../aws/credentials.ts";
import { readInstanceIdentity } from "../../aws/imds.ts";
import { ToolError } from "../../base/errors.ts";
import type { PlaceConnection } from "../../build/clean/clean-builds.ts";
import { usageError } from "../usage-error.ts";
import { connectToEnvironment, type PlaceContext } from "./clean-place.ts";
import { connectToStore, localStoreDirectory } from "./local-store.ts";

export interface TaggedPlace extends PlaceConnection {
  /** The instance that this host is, if it is one. */
  findOwnInstanceId(): Promise<string | undefined>;
}

/** @throws {ToolError} if no region is known. */
export async function connectByTag(
  options: { readonly region?: string; readonly local?: boolean; readonly store?: string },
  context: PlaceContext,
): Promise<TaggedPlace> {
  if (!options.local) {
    const region = options.region ?? (await findRegion({}, context.environment)) ?? (await regionOfInstance(context));
    const place = await connectToEnvironment(region, context);
    return { ...place, findOwnInstanceId: () => findInstanceId(context.environment, context) };
  }
  const storeDirectory = localStoreDirectory(options, context.environment);
  const lease = await connectToStore(storeDirectory, context, context.signal);
  const region = options.region ?? lease.environment["AWS_REGION"] ?? "";
  const place = await connectToEnvironment(region, { ...context, environment: lease.environment });
  return {
    ec2: place.ec2,
    findOwnInstanceId: () => findInstanceId(lease.environment, context),
    async [Symbol.asyncDispose]() {
      await place[Symbol.asyncDispose]();
      await lease[Symbol.asyncDispose]();
    },
  };
}

async function findInstanceId(
  environment: PlaceContext["environment"],
  { signal }: PlaceContext,
): Promise<string | undefined> {
  try {
    return (await readInstanceIdentity(environment, { signal })).instanceId;
  } catch (error) {
    if (error instanceof ToolError) return undefined;
    throw error;
  }
}

/** @throws {ToolError} if this is no instance either. */
export async function regionOfInstance({
  environment,
  signal,
}: Pick<PlaceContext, "environment" | "signal">): Promise<string> {
  try {
    return (await readInstanceIdentity(environment, { signal })).region;
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    throw usageError("Cannot find out in which region to look", "Say it: --region REGION");
  }
}
