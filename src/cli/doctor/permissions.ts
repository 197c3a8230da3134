import { findCredentials, findRegion } from "../../aws/credentials.ts";
import { messageOf, ToolError } from "../../base/errors.ts";
import type { Check } from "./check.ts";
import type { MetadataFinding } from "./host-checks.ts";

const DEADLINE_MS = 60_000;

/** Asks AWS for each permission that a build needs, as the environment's or the instance's identity. */
export async function checkPermissionsOn(
  { instance }: MetadataFinding,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Check[]> {
  try {
    const region = (await findRegion({}, environment)) ?? instance?.region;
    if (region === undefined)
      throw new ToolError("ERR_NO_REGION", "Cannot ask AWS: no region is set", { hint: "Set AWS_REGION" });
    const { checkPermissions } = await import("../../aws/check-permissions.ts");
    const permissions = await checkPermissions({
      region,
      credentials: await findCredentials({}, environment),
      endpoint: environment["AWS_ENDPOINT_URL_EC2"] || environment["AWS_ENDPOINT_URL"] || undefined,
      availabilityZone: instance?.availabilityZone ?? `${region}a`,
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    return permissions.map(({ action, verdict, detail }) => ({
      name: action,
      group: "permissions",
      // What EC2 does not tell is not held against the host.
      status: verdict === "refused" ? "missing" : "ok",
      why: verdict === "unknown" ? "could not be told" : verdict,
      detail: detail === "" ? undefined : detail,
      fix: verdict === "refused" ? `Allow ${action} in the policy of this key or role` : undefined,
    }));
  } catch (error) {
    return [
      {
        name: "permissions",
        group: "permissions",
        status: "missing",
        why: "each call of a build needs one",
        detail: messageOf(error),
        fix: error instanceof ToolError ? error.hint : undefined,
      },
    ];
  }
}
