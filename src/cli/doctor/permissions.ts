import { findCredentials, findRegion } from "../../aws/credentials.ts";
import { systemClock } from "../../base/clock.ts";
import { messageOf, ToolError } from "../../base/errors.ts";
import { NEVER } from "../../base/never.ts";
import type { CliContext } from "../cli-context.ts";
import type { Check } from "./check.ts";
import type { MetadataFinding } from "./host-checks.ts";

/** Asks AWS for each permission that a build needs, as the environment's or the instance's identity. */
export async function checkPermissionsOn(
  { instance }: MetadataFinding,
  { environment, secrets }: Pick<CliContext, "environment" | "secrets">,
): Promise<Check[]> {
  try {
    const region = (await findRegion({}, environment)) ?? instance?.region;
    if (region === undefined)
      throw new ToolError("ERR_NO_REGION", "Cannot ask AWS: no region is set", { hint: "Set AWS_REGION" });
    const [{ checkPermissions }, { checkEbsPermissions }] = await Promise.all([
      import("../../aws/check-permissions.ts"),
      import("../../aws/check-ebs-permissions.ts"),
    ]);
    const credentials = await findCredentials({}, environment, (secret) => secrets.add(secret));
    const endpointOf = (service: "EC2" | "EBS") =>
      environment[`AWS_ENDPOINT_URL_${service}`] || environment["AWS_ENDPOINT_URL"] || undefined;
    const options = { region, credentials, signal: NEVER, clock: systemClock };
    const availabilityZone = instance?.availabilityZone ?? `${region}a`;
    const permissions = await Promise.all([
      checkPermissions({ ...options, endpoint: endpointOf("EC2"), availabilityZone }),
      checkEbsPermissions({ ...options, endpoint: endpointOf("EBS") }),
    ]);
    return permissions.flat().map(({ action, builders, verdict, detail }) => ({
      name: action,
      group: "permissions",
      ways: builders,
      // What EC2 does not tell is not held against the host.
      status: verdict === "refused" ? "missing" : "ok",
      why: verdict === "unknown" ? "could not be told" : verdict,
      detail: detail === "" ? undefined : detail,
      fix:
        verdict === "refused"
          ? `Allow ${action} in the policy of this key or role; docs/permissions.md has whole ones`
          : undefined,
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
