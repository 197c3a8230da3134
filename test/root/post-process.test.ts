// Post-processors of whole builds, by the built command on real disks.
import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { isInstalled } from "../../src/build/check-host.ts";
import { lockFile } from "../../src/linux/files/file-lock.ts";
import { runToExit } from "../../src/linux/run-command.ts";
import { startTestCloud, type TestCloud } from "../helpers/test-cloud.ts";

interface Entry extends Readonly<Record<string, unknown>> {
  readonly name: string;
  readonly artifact_id: string;
  readonly packer_run_uuid: string;
}

interface Manifest {
  readonly builds: readonly Entry[];
  readonly last_run_uuid: string;
}

let count = 0;

/** A template with builds of these names, which leave the image as it is. */
async function writeTemplate(
  cloud: TestCloud,
  { names = ["amazon-chroot"], postProcessors }: { names?: readonly string[]; postProcessors: readonly unknown[] },
): Promise<string> {
  const number = ++count;
  const path = join(cloud.scratch, `template-${number}.json`);
  const builders = names.map((name, index) => ({
    type: "amazon-chroot",
    name,
    ami_name: `image ${number} ${name}`,
    source_ami: cloud.baseImageId,
    custom_endpoint_ec2: cloud.environment["AWS_ENDPOINT_URL"],
    region: cloud.environment["AWS_REGION"],
    // Packer finds a free name itself only on a host whose own disks are called sd or xvd.
    device_path: `/dev/xvd${"tu"[index]}`,
    mount_path: join(cloud.scratch, `mount-${index}`),
  }));
  await writeFile(path, JSON.stringify({ builders, "post-processors": postProcessors }));
  return path;
}

async function readManifest(cloud: TestCloud, name = "packer-manifest.json"): Promise<Manifest> {
  return JSON.parse(await readFile(join(cloud.scratch, name), "utf8"));
}

/** What is in a directory besides templates. */
async function filesBeside(cloud: TestCloud): Promise<string[]> {
  return (await readdir(cloud.scratch)).filter((name) => /manifest|\.lock|\.new/.test(name));
}

/** The same with each value replaced by its type: what a reader of manifests counts on. */
function typesOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(typesOf);
  if (value === null || typeof value !== "object") return value === null ? null : typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, typesOf(child)]));
}

test("two builds of one template are in one manifest, and another run adds its own", async () => {
  await using cloud = await startTestCloud();
  const template = await writeTemplate(cloud, { names: ["one", "two"], postProcessors: ["manifest"] });
  const built = await cloud.amibake(["build", template]);
  assert.equal(built.exitCode, 0, built.stdout + built.stderr);
  const first = await readManifest(cloud);
  assert.deepEqual(first.builds.map(({ name }) => name).sort(), ["one", "two"]);
  const made = await cloud.resources();
  for (const { artifact_id, packer_run_uuid, builder_type } of first.builds) {
    const [region, imageId = ""] = artifact_id.split(":");
    assert.equal(region, "us-east-1");
    assert.ok(made.includes(imageId), artifact_id);
    assert.equal(packer_run_uuid, first.last_run_uuid);
    assert.equal(builder_type, "amazon-chroot");
  }
  assert.match(built.stdout, /==> one: manifest: packer-manifest\.json\n/);
  assert.match(built.stdout, / {4}one: us-east-1:ami-[0-9a-f]+ is in packer-manifest\.json\n/);
  const again = await cloud.amibake(["build", await writeTemplate(cloud, { postProcessors: ["manifest"] })]);
  assert.equal(again.exitCode, 0, again.stderr);
  const second = await readManifest(cloud);
  assert.deepEqual(second.builds.slice(0, 2), first.builds);
  assert.equal(second.builds[2]?.packer_run_uuid, second.last_run_uuid);
  assert.notEqual(second.last_run_uuid, first.last_run_uuid);
  assert.deepEqual(await filesBeside(cloud), ["packer-manifest.json"]);
});

test("a manifest has the keys and types of Packer's, for the same template, and each adds to the other's", {
  skip: (await isInstalled("packer")) ? false : "Debian's packer is not installed",
}, async () => {
  await using cloud = await startTestCloud();
  const custom_data = {
    source: "{{build `SourceAMI`}} of {{build `BuildRegion`}}",
    device: "{{build `Device`}} on {{build `MountPath`}}",
    build: "{{build_name}} {{build_type}}",
    number: 5,
  };
  const postProcessors = [
    "manifest",
    { type: "manifest", name: "mine", output: "mine-{{build_name}}-manifest.json", strip_time: true, custom_data },
  ];
  const packerEnvironment = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: cloud.scratch, CHECKPOINT_DISABLE: "1" };
  const env = { ...cloud.environment, ...packerEnvironment };
  const packer = await runToExit(["packer", "build", await writeTemplate(cloud, { postProcessors })], {
    env,
    cwd: cloud.scratch,
  });
  assert.equal(packer.exitCode, 0, packer.stdout.toString());
  const theirs = [await readManifest(cloud), await readManifest(cloud, "mine-amazon-chroot-manifest.json")];
  const ours = await cloud.amibake(["build", await writeTemplate(cloud, { postProcessors })]);
  assert.equal(ours.exitCode, 0, ours.stderr);
  for (const [index, name] of ["packer-manifest.json", "mine-amazon-chroot-manifest.json"].entries()) {
    const { builds, last_run_uuid } = await readManifest(cloud, name);
    const [byPacker, byUs, ...more] = builds;
    assert.deepEqual(byPacker, theirs[index]?.builds[0], "what stood there has changed");
    assert.deepEqual(typesOf(byUs), typesOf(byPacker));
    assert.deepEqual(byUs?.["custom_data"], byPacker?.["custom_data"]);
    assert.equal(byUs?.packer_run_uuid, last_run_uuid);
    assert.deepEqual(more, []);
  }
  const after = await runToExit(["packer", "build", await writeTemplate(cloud, { postProcessors: ["manifest"] })], {
    env,
    cwd: cloud.scratch,
  });
  assert.equal(after.exitCode, 0, after.stdout.toString());
  assert.equal((await readManifest(cloud)).builds.length, 3);
});

test("a post-processor that fails fails the run and keeps the image, and the other sequences run", async () => {
  await using cloud = await startTestCloud();
  await writeFile(join(cloud.scratch, "foreign-manifest.json"), "[]");
  const postProcessors = [[{ type: "manifest", output: "foreign-manifest.json" }, "manifest"], "manifest"];
  const built = await cloud.amibake(["build", await writeTemplate(cloud, { postProcessors })]);
  assert.equal(built.exitCode, 1, built.stdout);
  const { builds } = await readManifest(cloud);
  const [, imageId = ""] = builds[0]?.artifact_id.split(":") ?? [];
  assert.equal(builds.length, 1);
  assert.ok((await cloud.resources()).includes(imageId));
  assert.match(built.stdout, new RegExp(`Built 1 image in .*\\n.*\\n {4}us-east-1: ${imageId} `));
  assert.match(
    built.stderr,
    new RegExp(
      'Error: Cannot post-process with "manifest: foreign-manifest.json" of .*:1:\\d+\\n' +
        '  caused by: Cannot add to the manifest "foreign-manifest.json": it is no JSON object\\n' +
        `  hint: The image is complete all the same, and stays: us-east-1:${imageId}\\n`,
    ),
  );
  assert.equal(await readFile(join(cloud.scratch, "foreign-manifest.json"), "utf8"), "[]");
  const cleaned = await cloud.amibake(["clean"]);
  assert.equal(cleaned.exitCode, 0, cleaned.stderr);
  assert.ok((await cloud.resources()).includes(imageId), "amibake clean has removed the image");
});

test("Ctrl-C while a post-processor waits keeps the image, and leaves no half file", async () => {
  await using cloud = await startTestCloud();
  const path = join(cloud.scratch, "packer-manifest.json");
  await using _held = await lockFile(`${path}.lock`);
  const template = await writeTemplate(cloud, { postProcessors: ["manifest"] });
  const built = await cloud.amibake(["build", "--json", template], {
    onStart: (running) =>
      void running.printed('"title":"manifest: packer-manifest.json"').then(() => running.kill("SIGINT")),
  });
  assert.equal(built.exitCode, 130, built.stdout);
  const lines = built.stdout.trimEnd().split("\n");
  const result = JSON.parse(lines.at(-1) ?? "");
  const [{ artifact }] = result.artifacts;
  assert.ok((await cloud.resources()).includes(artifact.images["us-east-1"]));
  assert.equal(result.failures[0].error.code, "ERR_INTERRUPTED");
  const failed = lines.map((line) => JSON.parse(line)).find(({ type }) => type === "build-failed");
  assert.deepEqual(failed.artifact, artifact);
  assert.deepEqual(await filesBeside(cloud), ["packer-manifest.json.lock"]);
});
