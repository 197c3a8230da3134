import * as z from "zod";
import { deferred, IMAGE_VARIABLES, tagBlocks, tags } from "./fields.ts";

/** What the image that is made is called, and who may use it. */
export const imageFields = {
  ami_name: deferred(["CreateTime"]).describe(
    "Name of the image: 3 to 128 letters, digits and `()[] ./-'@_`. `{{.CreateTime}}` is the same as `{{timestamp}}`",
  ),
  ami_description: deferred(IMAGE_VARIABLES).optional().describe("Description of the image"),
  ami_groups: z
    .array(z.string().regex(/^all$/, 'must be "all": EC2 knows no other group'))
    .default([])
    .describe("Groups that may launch the image: `all`, or none"),
  ami_users: z
    .array(z.string().regex(/^\d{12}$/, "must be an account id of 12 digits"))
    .default([])
    .describe("Accounts that may launch the image"),
  ami_product_codes: z.array(z.string()).default([]).describe("Product codes of the image"),
  ena_support: z
    .boolean()
    .optional()
    .describe("Whether the image supports enhanced networking (ENA). Without it, as its source does"),
  tags: tags().default([]).describe("Tags of the image and its snapshots"),
  snapshot_tags: tags()
    .default([])
    .describe("Tags of the snapshots, in addition to `tags`; of two with one name, this one wins"),
  tag: tagBlocks().describe("More `tags`, each an object with `key` and `value`; in HCL2 a block each"),
  snapshot_tag: tagBlocks().describe(
    "More `snapshot_tags`, each an object with `key` and `value`; in HCL2 a block each",
  ),
};

/** How an image is found. */
export const imageFilterFields = {
  filters: z
    .record(z.string(), z.string())
    .default({})
    .describe("Filters of DescribeImages. A value may be several, with commas between"),
  owners: z.array(z.string()).default([]).describe("Account ids, `self`, `amazon` or `aws-marketplace`"),
  most_recent: z.boolean().default(false).describe("Take the newest; otherwise there must be exactly one"),
  include_deprecated: z.boolean().default(false).describe("Look at deprecated images too"),
};

export type ImageFilter = z.infer<z.ZodObject<typeof imageFilterFields>>;

/** The image that a build starts from. */
export const sourceFields = {
  source_ami: z
    .string()
    .regex(/^ami-/, 'must start with "ami-"')
    .optional()
    .describe("Id of the image to start from. It must be EBS-backed"),
  source_ami_filter: z
    .strictObject(imageFilterFields)
    .optional()
    .describe("How to find the image to start from. With `source_ami` as well, both must fit"),
};
