import * as z from "zod/mini";
import { deferred, described, IMAGE_VARIABLES, tagBlocks, tags } from "./fields.ts";

/** What the image that is made is called, and who may use it. */
export const imageFields = {
  ami_name: described(
    deferred(["CreateTime"], { isEvaluatedOnce: true }),
    "Name of the image: 3 to 128 letters, digits and `()[] ./-'@_`. `{{.CreateTime}}` is the same as `{{timestamp}}`",
  ),
  ami_description: described(z.optional(deferred(IMAGE_VARIABLES)), "Description of the image"),
  ami_groups: described(
    z._default(z.array(z.string().check(z.regex(/^all$/, 'must be "all": EC2 knows no other group'))), []),
    "Groups that may launch the image: `all`, or none",
  ),
  ami_users: described(
    z._default(z.array(z.string().check(z.regex(/^\d{12}$/, "must be an account id of 12 digits"))), []),
    "Accounts that may launch the image",
  ),
  ami_product_codes: described(z._default(z.array(z.string()), []), "Product codes of the image"),
  ena_support: described(
    z.optional(z.boolean()),
    "Whether the image supports enhanced networking (ENA). Without it, as its source does",
  ),
  tags: described(z._default(tags(), []), "Tags of the image and its snapshots"),
  snapshot_tags: described(
    z._default(tags(), []),
    "Tags of the snapshots, in addition to `tags`; of two with one name, this one wins",
  ),
  tag: described(tagBlocks(), "More `tags`, each an object with `key` and `value`; in HCL2 a block each"),
  snapshot_tag: described(
    tagBlocks(),
    "More `snapshot_tags`, each an object with `key` and `value`; in HCL2 a block each",
  ),
};

/** How an image is found. */
export const imageFilterFields = {
  filters: described(
    z._default(z.record(z.string(), z.string()), {}),
    "Filters of DescribeImages. A value may be several, with commas between",
  ),
  owners: described(z._default(z.array(z.string()), []), "Account ids, `self`, `amazon` or `aws-marketplace`"),
  most_recent: described(z._default(z.boolean(), false), "Take the newest; otherwise there must be exactly one"),
  include_deprecated: described(z._default(z.boolean(), false), "Look at deprecated images too"),
};

export type ImageFilter = z.infer<z.ZodMiniObject<typeof imageFilterFields>>;

/** The image that a build starts from. */
export const sourceFields = {
  source_ami: described(
    z.optional(z.string().check(z.regex(/^ami-/, 'must start with "ami-"'))),
    "Id of the image to start from. It must be EBS-backed",
  ),
  source_ami_filter: described(
    z.optional(z.strictObject(imageFilterFields)),
    "How to find the image to start from. With `source_ami` as well, both must fit",
  ),
};
