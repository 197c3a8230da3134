// Templates that also have builds for other tools than amibake.
import assert from "node:assert/strict";
import { test } from "node:test";
import { problemLine, readTemplateText } from "../../../test/helpers/template-text.ts";
import { TemplateError } from "../template-error.ts";

const TEMPLATE = JSON.stringify({
  builders: [
    { type: "docker", image: "debian", commit: true },
    { type: "amazon-chroot", name: "ours", source_ami: "ami-1", ami_name: "web {{timestamp}}" },
    { type: "nobody-knows" },
  ],
  provisioners: [
    { type: "shell", inline: ["true"] },
    { type: "puppet-masterless", only: ["docker"], manifest_file: "site.pp" },
    { type: "chef-solo", except: ["ours"] },
    { type: "zzz", only: ["nobody-knows"] },
  ],
  "post-processors": [
    { type: "docker-tag", only: ["docker"], repository: "web" },
    [{ type: "manifest" }, { type: "docker-push", except: ["ours"] }],
    [{ type: "manifest" }, { type: "vagrant", name: "boxes" }, { type: "vagrant-cloud" }],
  ],
});

test("-only builds amibake's builds of a template, whatever the others are", async () => {
  const { builds, warnings } = await readTemplateText(TEMPLATE, { only: ["ours"], except: ["boxes"] });
  assert.deepEqual(warnings, []);
  const [build, ...more] = builds;
  assert.deepEqual(more, []);
  assert.equal(build?.name, "ours");
  assert.deepEqual(
    build?.provisioners.map(({ type }) => type),
    ["shell"],
  );
  assert.deepEqual(
    build?.postProcessors.map((sequence) => sequence.map(({ type }) => type)),
    [["manifest"], ["manifest"]],
  );
});

test("-except leaves out builds of other tools", async () => {
  const { builds } = await readTemplateText(TEMPLATE, { only: [], except: ["docker", "nobody-knows", "boxes"] });
  assert.deepEqual(
    builds.map(({ name }) => name),
    ["ours"],
  );
});

test("what another tool would have to build is told with what there is", async () => {
  const wrong = async (only: string[]): Promise<string[]> => {
    try {
      await readTemplateText(TEMPLATE, { only, except: ["boxes"] });
      return [];
    } catch (error) {
      assert.ok(error instanceof TemplateError);
      return error.problems.map((problem) =>
        problemLine(problem)
          .replace(/^\d+:\d+ /, "")
          .replace(/There are .*/, "There are …"),
      );
    }
  };
  assert.deepEqual(await wrong(["docker"]), [
    'The builder "docker" is one of Packer\'s that amibake does not have | There are …',
  ]);
  assert.deepEqual(await wrong(["nobody-knows"]), ['Unknown builder "nobody-knows" | There are …']);
  assert.deepEqual(await wrong(["ours"]), []);
});

test("what is left of other tools in a build of ours is told", async () => {
  const text = TEMPLATE.replaceAll(',"only":["docker"]', "");
  await assert.rejects(readTemplateText(text, { only: ["ours"] }), (error: unknown) => {
    assert.ok(error instanceof TemplateError);
    assert.deepEqual(
      error.problems.map(({ message }) => message),
      [
        'The provisioner "puppet-masterless" is one of Packer\'s that amibake does not have',
        'The post-processor "docker-tag" is one of Packer\'s that amibake does not have',
        'The post-processor "vagrant" is one of Packer\'s that amibake does not have',
        'The post-processor "vagrant-cloud" is one of Packer\'s that amibake does not have',
      ],
    );
    return true;
  });
});
