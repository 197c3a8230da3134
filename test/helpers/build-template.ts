import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestCloud } from "./test-cloud.ts";

let count = 0;

/** Writes a template with one amazon-chroot builder on the cloud's base image; returns its path. */
export async function writeTemplate(
  cloud: TestCloud,
  builder: Readonly<Record<string, unknown>> = {},
  provisioners: readonly Readonly<Record<string, unknown>>[] = [],
): Promise<string> {
  const number = ++count;
  const path = join(cloud.scratch, `template-${number}.json`);
  const template = {
    builders: [{ type: "amazon-chroot", ami_name: `image ${number}`, source_ami: cloud.baseImageId, ...builder }],
    provisioners,
  };
  await writeFile(path, JSON.stringify(template, null, 2));
  return path;
}
