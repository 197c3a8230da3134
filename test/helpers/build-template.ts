import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestCloud } from "./test-cloud.ts";

let count = 0;

/**
 * Writes a template with one amazon-chroot builder on the cloud's base image; returns its path.
 *
 * @param more keys of the template itself.
 */
export async function writeTemplate(
  cloud: Pick<TestCloud, "scratch" | "baseImageId">,
  builder: Readonly<Record<string, unknown>> = {},
  provisioners: readonly Readonly<Record<string, unknown>>[] = [],
  more: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const number = ++count;
  const path = join(cloud.scratch, `template-${number}.json`);
  const template = {
    builders: [{ type: "amazon-chroot", ami_name: `image ${number}`, source_ami: cloud.baseImageId, ...builder }],
    provisioners,
    ...more,
  };
  await writeFile(path, JSON.stringify(template, null, 2));
  return path;
}
