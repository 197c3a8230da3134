import assert from "node:assert/strict";
import { test } from "node:test";
import { problemsOf, readTemplateText, templateText } from "../../../test/helpers/template-text.ts";
import { amazonChrootSchema } from "./amazon-chroot.ts";
import { amazonDirect, amazonDirectSchema } from "./amazon-direct.ts";

const direct = (changes: Record<string, unknown> = {}) => templateText({ type: "amazon-direct", ...changes });

async function configOf(text: string) {
  const { builds } = await readTemplateText(text);
  const [build] = builds;
  assert.ok(build?.type === "amazon-direct" && builds.length === 1);
  return build.config;
}

test("an amazon-direct builder has the defaults of amazon-chroot", async () => {
  const { builds } = await readTemplateText(templateText());
  const chroot = builds[0]?.config;
  assert.ok(chroot !== undefined);
  const plain = (value: unknown) => JSON.parse(JSON.stringify(value));
  assert.deepEqual(plain(await configOf(direct())), { ...plain(chroot), type: "amazon-direct" });
});

test("an amazon-direct builder keeps what is its own", async () => {
  const config = await configOf(
    direct({
      custom_endpoint_ebs: "http://127.0.0.1:1/",
      overlay_directory: "/mnt/scratch",
      root_volume_size: "8",
      region: "eu-west-1",
    }),
  );
  assert.equal(config.custom_endpoint_ebs, "http://127.0.0.1:1/");
  assert.equal(config.overlay_directory, "/mnt/scratch");
  assert.equal(config.root_volume_size, 8);
  assert.equal(config.region, "eu-west-1");
});

test("every key of amazon-chroot is one of amazon-direct, or is refused or not supported there by name", () => {
  const known = new Set([
    ...Object.keys(amazonDirectSchema.shape),
    ...amazonDirect.keysNotYet,
    ...Object.keys(amazonDirect.keysRefused ?? {}),
  ]);
  assert.deepEqual(
    Object.keys(amazonChrootSchema.shape).filter((key) => !known.has(key)),
    [],
  );
});

const WRONG_KEYS: readonly (readonly [key: string, value: unknown, message: string])[] = [
  ...["device_path", "nvme_device_path", "root_volume_tag", "root_volume_tags", "root_volume_type"].map(
    (key) =>
      [
        key,
        "/dev/sdf",
        `"${key}" cannot be a key of the builder "amazon-direct": amazon-direct attaches no volume | Leave it out`,
      ] as const,
  ),
  ["from_scratch", true, '"from_scratch" of the builder "amazon-direct" is not supported yet'],
  ["root_volume_encrypt_boot", true, '"root_volume_encrypt_boot" of the builder "amazon-direct" is not supported yet'],
  [
    "custom_endpoint_esb",
    "x",
    'Unknown key "custom_endpoint_esb" of the builder "amazon-direct" | Did you mean "custom_endpoint_ebs"?',
  ],
  ["overlay_directory", "scratch", '"overlay_directory" must start with "/", not "scratch"'],
  ["source_ami", null, '"source_ami" or "source_ami_filter" is required'],
  ["ami_name", "a", '"ami_name" must have 3 to 128 characters, not the 1 of "a"'],
];

for (const [key, value, message] of WRONG_KEYS) {
  test(`an amazon-direct builder's ${key} ${JSON.stringify(value)} is explained`, async () => {
    const problems = await problemsOf(direct({ [key]: value }));
    assert.deepEqual(
      problems.map((problem) => problem.replace(/^\d+:\d+ /, "")),
      [message],
    );
  });
}
