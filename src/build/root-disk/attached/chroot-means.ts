import { type InstanceIdentity, readInstanceIdentity } from "../../../aws/imds.ts";
import { ToolError } from "../../../base/errors.ts";
import { together } from "../../../base/together.ts";
import type { AmazonChrootConfig } from "../../../template/schema/amazon-chroot.ts";
import type { Access } from "../../access.ts";
import type { FoundMeans } from "../../build-host.ts";

/** Asks the metadata service which instance this is: volumes are attached to it. */
export async function findChrootMeans(config: AmazonChrootConfig, access: Access): Promise<FoundMeans> {
  const [instance, namedRegion] = await together([readInstanceIdentity(access.environment, access), access.region]);
  const region = namedRegion ?? instance.region;
  if (region !== instance.region) throw wrongRegion(region, instance);
  return {
    means: { type: "amazon-chroot", instance, devicePath: config.device_path },
    accountId: instance.accountId,
    region,
    where: `${instance.instanceId} in ${region}`,
    [Symbol.dispose]() {},
  };
}

function wrongRegion(region: string, instance: InstanceIdentity): ToolError {
  const message = `Cannot build in ${region} on an instance of ${instance.region}: a volume is attached in its own zone only`;
  return new ToolError("ERR_REGION", message, {
    fault: "usage",
    hint: `Leave the region out, build on an instance in ${region}, or use the builder amazon-direct`,
  });
}
