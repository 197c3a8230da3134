// Many builds at once on one host, amibake's and Packer's.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { DescribeImagesCommand } from "@aws-sdk/client-ec2";
import { isInstalled } from "../../src/build/check-host.ts";
import { runToExit } from "../../src/linux/run-command.ts";
import { runAmibake } from "../helpers/amibake-cli.ts";
import { tinyBaseImage } from "../helpers/base-image.ts";
import { writeTemplate } from "../helpers/build-template.ts";
import { readImageFile } from "../helpers/read-image.ts";
import { startTestCloud, type TestCloud } from "../helpers/test-cloud.ts";

const hasPacker = await isInstalled("packer");
const withPacker = { skip: hasPacker ? false : "Debian's packer is not installed" };

/** Packer needs the device path: this host has no disk whose name it could go by. */
async function runPacker(
  cloud: TestCloud,
  letter: string,
  options: { inline: string[]; onLine?: (line: string) => void },
): Promise<void> {
  const { environment } = cloud;
  const path = join(cloud.scratch, `packer-${letter}.json`);
  const builder = {
    type: "amazon-chroot",
    ami_name: `packer ${letter}`,
    source_ami: cloud.baseImageId,
    custom_endpoint_ec2: environment["AWS_ENDPOINT_URL"],
    region: environment["AWS_REGION"],
    device_path: `/dev/xvd${letter}`,
    mount_path: join(cloud.scratch, `packer-${letter}`),
  };
  await writeFile(
    path,
    JSON.stringify({ builders: [builder], provisioners: [{ type: "shell", inline: options.inline }] }),
  );
  const output: string[] = [];
  const result = await runToExit(["packer", "build", "-color=false", path], {
    env: { ...environment, PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: cloud.scratch, CHECKPOINT_DISABLE: "1" },
    onLine: (_stream, line) => {
      output.push(line);
      options.onLine?.(line);
    },
  });
  assert.equal(result.exitCode, 0, output.join("\n"));
}

async function imageNamed(cloud: TestCloud, name: string): Promise<string> {
  const answer = await cloud.ec2.send(
    new DescribeImagesCommand({ Owners: ["self"], Filters: [{ Name: "name", Values: [name] }] }),
  );
  return answer.Images?.[0]?.ImageId ?? "";
}

test("sixteen builds of amibake and three of Packer at once all succeed", withPacker, async () => {
  await using cloud = await startTestCloud();
  const templates = await Promise.all(
    Array.from({ length: 16 }, (_, number) =>
      writeTemplate(cloud, { ami_name: `ours ${number}` }, [
        { type: "shell", inline: [`echo ${number} >/etc/number`] },
      ]),
    ),
  );
  const [ours] = await Promise.all([
    Promise.all(templates.map((template) => cloud.amibake(["build", "-color=false", template]))),
    Promise.all(["w", "x", "y"].map((letter) => runPacker(cloud, letter, { inline: [`echo ${letter} >/etc/letter`] }))),
  ]);
  for (const result of ours) assert.equal(result.exitCode, 0, result.stdout + result.stderr);
  const made = (await cloud.resources()).map((id) => id.replace(/-.*/, ""));
  assert.equal(made.filter((kind) => kind === "ami").length, 19);
  assert.equal(made.filter((kind) => kind === "vol").length, 0);
  for (const number of [0, 7, 15]) {
    assert.equal(await readImageFile(cloud, await imageNamed(cloud, `ours ${number}`), "/etc/number"), `${number}\n`);
  }
});

test(
  "a Packer build that starts before and ends during one of ours has its file in its image",
  withPacker,
  async () => {
    await using cloud = await startTestCloud();
    let packer: Promise<void> | undefined;
    const packerProvisions = new Promise<void>((resolve) => {
      packer = runPacker(cloud, "v", {
        inline: ["echo packer provisions", "sleep 2", "echo by packer >/etc/packer-was-here"],
        onLine: (line) => {
          if (line.includes("packer provisions")) resolve();
        },
      });
    });
    // Whichever comes first: a Packer that fails must end the test, not leave it waiting.
    await Promise.race([packerProvisions, packer]);
    const template = await writeTemplate(cloud, { ami_name: "around" }, [{ type: "shell", inline: ["sleep 5"] }]);
    const [, ours] = await Promise.all([packer, cloud.amibake(["build", "-color=false", template])]);
    assert.equal(ours.exitCode, 0, ours.stdout + ours.stderr);
    assert.equal(
      await readImageFile(cloud, await imageNamed(cloud, "packer v"), "/etc/packer-was-here"),
      "by packer\n",
    );
  },
);

test("eight builds with --local and no daemon all succeed and leave no daemon", async () => {
  const scratch = await mkdtemp(join(tmpdir(), "amibake-eight-"));
  const store = ["--store", join(scratch, "store")];
  const disk = await tinyBaseImage({ layout: "gpt" });
  const imported = await runAmibake(["local", "import", disk, "--name", "base", "--json", ...store]);
  assert.equal(imported.exitCode, 0, imported.stderr);
  const { imageId } = JSON.parse(imported.stdout);
  const results = await Promise.all(
    Array.from({ length: 8 }, async (_, number) => {
      const template = join(scratch, `template-${number}.json`);
      const builder = { type: "amazon-chroot", ami_name: `image ${number}`, source_ami: imageId };
      await writeFile(template, JSON.stringify({ builders: [builder] }));
      return runAmibake(["build", "--local", "-color=false", template, ...store]);
    }),
  );
  for (const result of results) assert.equal(result.exitCode, 0, result.stdout + result.stderr);
  const status = await runAmibake(["local", "status", ...store]);
  assert.equal(status.exitCode, 1, "a daemon still runs");
  assert.equal((await runAmibake(["local", "reset", "--yes", ...store])).exitCode, 0);
  await rm(scratch, { recursive: true });
});
