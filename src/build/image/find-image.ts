import { hasCode, isNotFound } from "../../aws/aws-error.ts";
import type { Ec2Api, Image, ImageQuery } from "../../aws/ec2-api.ts";
import { ToolError } from "../../base/errors.ts";
import type { ImageFilter } from "../../template/schema/image-fields.ts";

/** Which image a template means. With both, both must fit. */
export interface ImageChoice {
  readonly imageId?: string | undefined;
  readonly filter?: ImageFilter | undefined;
  /** What is to be narrowed if it fits several, as the template calls it. */
  readonly filterName: string;
}

/**
 * Finds the one image that is meant.
 *
 * @throws {ToolError} if there is none, or more than one without `most_recent`.
 */
export async function findImage(ec2: Ec2Api, choice: ImageChoice): Promise<Image> {
  const { imageId, filter, filterName } = choice;
  const newestFirst = [...(await findImages(ec2, choice))].sort((a, b) => b.creationDate.localeCompare(a.creationDate));
  const [first, ...others] = newestFirst;
  if (first === undefined) {
    const what = imageId === undefined ? `an image that matches ${filterName}` : `the source image "${imageId}"`;
    throw new ToolError("ERR_SOURCE_IMAGE", `Cannot find ${what}`, {
      hint: "Check the id, the region and the owners, and that the account may use the image",
    });
  }
  if (others.length > 0 && !filter?.most_recent) {
    const listed = newestFirst.slice(0, 5).map((image) => `${image.imageId} (${image.name})`);
    throw new ToolError(
      "ERR_SOURCE_IMAGE",
      `Cannot choose between ${newestFirst.length} images: ${listed.join(", ")}`,
      {
        hint: `Narrow ${filterName}, or set its most_recent to true`,
      },
    );
  }
  return first;
}

async function findImages(ec2: Ec2Api, choice: ImageChoice): Promise<Image[]> {
  try {
    return await ec2.findImages(queryOf(choice));
  } catch (cause) {
    if (!isNotFound(cause) && !hasCode(cause, "InvalidAMIID.Malformed")) throw cause;
    throw new ToolError("ERR_SOURCE_IMAGE", `Cannot find the source image "${choice.imageId}" in ${ec2.region}`, {
      cause,
      hint: "Check the id and the region, and that the account may use the image",
    });
  }
}

function queryOf({ imageId, filter }: ImageChoice): ImageQuery {
  const filters = Object.entries(filter?.filters ?? {});
  return {
    ...(imageId === undefined ? {} : { imageIds: [imageId] }),
    owners: filter?.owners ?? [],
    // As in Packer: several values are separated by commas.
    filters: Object.fromEntries(filters.map(([name, values]) => [name, values.split(",")])),
    includeDeprecated: imageId !== undefined || (filter?.include_deprecated ?? false),
  };
}
