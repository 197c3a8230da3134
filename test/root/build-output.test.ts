// What a build prints, in each form, by the built command on real disks.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { isInstalled } from "../../src/build/check-host.ts";
import { runToExit } from "../../src/linux/run-command.ts";
import { amibakeCommand } from "../helpers/amibake-cli.ts";
import { writeTemplate } from "../helpers/build-template.ts";
import { startTestCloud } from "../helpers/test-cloud.ts";

test("--json ends with a result that names what was made and the exit code", async () => {
  await using cloud = await startTestCloud();
  const template = await writeTemplate(cloud, { ami_name: "as json" });
  const { exitCode, stdout } = await cloud.amibake(["build", "--json", template]);
  assert.equal(exitCode, 0, stdout);
  const lines = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const documented = await readFile("docs/json-events.md", "utf8");
  for (const { type, time } of lines) {
    assert.ok(documented.includes(`| \`${type}\` |`), `docs/json-events.md does not know "${type}"`);
    assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  }
  const result = lines.at(-1) as { type: string; exitCode: number; artifacts: { artifact: { images: object } }[] };
  assert.deepEqual([result.type, result.exitCode], ["result", 0]);
  const made = await cloud.resources();
  assert.ok(made.includes(Object.values(result.artifacts[0]?.artifact.images ?? {})[0]), stdout);
});

test("-machine-readable gives the artifact lines that Packer gives", {
  skip: (await isInstalled("packer")) ? false : "Debian's packer is not installed",
}, async () => {
  await using cloud = await startTestCloud();
  const { environment, scratch } = cloud;
  const artifactLines = (stdout: string): string[] =>
    stdout
      .split("\n")
      .filter((line) => /^\d+,[^,]+,/.test(line))
      .map((line) => line.replace(/^\d+/, "TIME").replace(/ami-\w+/g, "ami-ID"));
  const builder = {
    custom_endpoint_ec2: environment["AWS_ENDPOINT_URL"],
    region: environment["AWS_REGION"],
    device_path: "/dev/xvdu",
    mount_path: `${scratch}/mount`,
  };
  const packerTemplate = await writeTemplate(cloud, { ...builder, ami_name: "by packer" });
  const env = { ...environment, PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: scratch, CHECKPOINT_DISABLE: "1" };
  const packer = await runToExit(["packer", "build", "-machine-readable", packerTemplate], { env });
  assert.equal(packer.exitCode, 0, packer.stdout.toString());
  const ours = await cloud.amibake(["build", "-machine-readable", await writeTemplate(cloud, builder)]);
  assert.equal(ours.exitCode, 0, ours.stdout + ours.stderr);
  assert.deepEqual(artifactLines(ours.stdout), artifactLines(packer.stdout.toString()));
});

test("a reader that goes away during a build ends it with everything released", async () => {
  await using cloud = await startTestCloud();
  const template = await writeTemplate(cloud, {}, [
    { type: "shell", inline: ["while :; do echo provisioning; sleep 0.1; done"] },
  ]);
  const [program = "", ...args] = await amibakeCommand();
  const child = spawn(program, [...args, "build", template], {
    env: { PATH: process.env["PATH"] ?? "", ...cloud.environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  for await (const chunk of child.stdout) {
    // Leaving the loop closes our end. The next thing that is printed finds nobody.
    if (String(chunk).includes("provisioning")) break;
  }
  assert.equal(await ended, 130, stderr);
  assert.match(stderr, /Interrupted: The reader of the output has gone/);
  assert.deepEqual(await cloud.resources(), []);
});
