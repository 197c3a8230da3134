import type { Ec2Api } from "../../aws/ec2-api.ts";
import { ToolError } from "../../base/errors.ts";

/** @throws {ToolError} if an image of this account and region has the name: RegisterImage would refuse it, after all the work. */
export async function checkImageName(ec2: Ec2Api, name: string): Promise<void> {
  const [taken] = await ec2.findImages({ owners: ["self"], filters: { name: [name] }, includeDeprecated: true });
  if (taken === undefined) return;
  throw new ToolError(
    "ERR_IMAGE_NAME_TAKEN",
    `Cannot name the image "${name}": ${taken.imageId} has that name in ${ec2.region}`,
    {
      hint: "Make ami_name unique, e.g. with {{timestamp}}",
    },
  );
}
