// amazon-direct where the local cloud is another host: nothing of it is attached here, and it has no metadata service.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { AsyncDisposableStack } from "../../src/base/async-disposable-stack.ts";
import { runCommand } from "../../src/linux/run-command.ts";
import { amibakeCommand, runAmibake } from "../helpers/amibake-cli.ts";
import { tinyBaseImage } from "../helpers/base-image.ts";
import { writeTemplate } from "../helpers/build-template.ts";

const NAMESPACE = `amibake-${process.pid}`;
const [HERE, THERE] = ["198.18.77.1", "198.18.77.2"];

/** A host of its own, a cable away. */
async function openNetwork(): Promise<AsyncDisposable> {
  await using undo = new AsyncDisposableStack();
  const ip = (...args: string[]) => runCommand(["ip", ...args]);
  await ip("netns", "add", NAMESPACE);
  // The cable goes with either of its ends.
  undo.defer(() => ip("netns", "delete", NAMESPACE).then(() => {}));
  const [near, far] = [`ab${process.pid % 100_000}`, "eth0"];
  await ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", NAMESPACE);
  await ip("address", "add", `${HERE}/30`, "dev", near);
  await ip("link", "set", near, "up");
  for (const args of [
    ["address", "add", `${THERE}/30`, "dev", far],
    ["link", "set", far, "up"],
    ["link", "set", "lo", "up"],
  ]) {
    await ip("-netns", NAMESPACE, ...args);
  }
  const owned = undo.move();
  return { [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose]() };
}

test("amazon-direct needs no metadata service and no attachment: it works across a network", async () => {
  await using undo = new AsyncDisposableStack();
  const scratch = await mkdtemp(join(tmpdir(), "amibake-veth-"));
  undo.defer(() => rm(scratch, { recursive: true }));
  undo.use(await openNetwork());
  const store = join(scratch, "store");
  const amibake = await amibakeCommand();
  const there = async (...args: string[]) => {
    const argv = ["ip", "netns", "exec", NAMESPACE, ...amibake, "local", ...args, "--store", store];
    return (await runCommand(argv)).stdout.toString();
  };
  const started = await there("start", "--listen", THERE);
  undo.defer(() => there("stop", "--force").then(() => {}));
  const { imageId } = JSON.parse(
    await there("import", await tinyBaseImage({ layout: "gpt" }), "--name", "base", "--json"),
  );
  const exported = [...started.matchAll(/^export (\w+)='?([^'\n]*)'?$/gm)].map(([, name = "", value = ""]) => [
    name,
    value,
  ]);
  const {
    AWS_EC2_METADATA_SERVICE_ENDPOINT: _metadata,
    AMIBAKE_LOCAL_STORE: _store,
    ...access
  } = Object.fromEntries(exported) as Record<string, string>;
  assert.match(access["AWS_ENDPOINT_URL"] ?? "", new RegExp(`^http://${THERE.replaceAll(".", "\\.")}:\\d+$`));
  const template = await writeTemplate({ scratch, baseImageId: imageId }, { type: "amazon-direct" }, [
    { type: "shell", inline: ["echo across > /etc/motd"] },
  ]);
  const built = await runAmibake(["build", "-color=false", template], {
    env: {
      ...access,
      AWS_EC2_METADATA_DISABLED: "true",
      AMIBAKE_CACHE_DIR: join(scratch, "cache"),
      AMIBAKE_STATE_DIR: join(scratch, "state"),
    },
  });
  assert.equal(built.exitCode, 0, built.stdout + built.stderr);
  const [, baked = ""] = /us-east-1: (ami-[0-9a-f]+)/.exec(built.stdout) ?? [];
  const disk = join(scratch, "baked.raw");
  await there("export", baked, disk, "--format", "raw");
  const { stdout } = await runCommand(["debugfs", "-R", "cat /etc/motd", `${disk}?offset=1048576`]);
  assert.equal(stdout.toString(), "across\n");
});
