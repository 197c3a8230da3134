// amazon-direct where the local cloud is another host: nothing of it is attached here, and it has no metadata service.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { AsyncDisposableStack } from "../../src/base/async-disposable-stack.ts";
import { runCommand } from "../../src/linux/run-command.ts";
import { amibakeCommand, runAmibake } from "../helpers/amibake-cli.ts";
import { tinyBaseImage } from "../helpers/base-image.ts";
import { writeTemplate } from "../helpers/build-template.ts";

const [HERE, THERE] = ["198.18.77.1", "198.18.77.2"];

interface Network extends AsyncDisposable {
  /** Goes before the argument vector of what shall run on the other host. */
  readonly enter: readonly string[];
}

/** A host of its own, a cable away. The network namespace is its process's: `ip netns` would leave a mount behind. */
async function openNetwork(): Promise<Network> {
  await using undo = new AsyncDisposableStack();
  const host = spawn("unshare", ["--net", "sh", "-c", "echo ready; exec cat"], { stdio: ["pipe", "pipe", "inherit"] });
  // The cable goes with either of its ends.
  undo.defer(async () => {
    host.stdin.end();
    if (host.exitCode === null) await once(host, "exit");
  });
  await once(host.stdout, "data");
  const enter = ["nsenter", `--target=${host.pid}`, "--net"];
  const [near, far] = [`ab${process.pid % 100_000}`, "eth0"];
  const here = (...args: string[]) => runCommand(["ip", ...args]);
  const there = (...args: string[]) => runCommand([...enter, "ip", ...args]);
  await here("link", "add", near, "type", "veth", "peer", "name", far, "netns", String(host.pid));
  await here("address", "add", `${HERE}/30`, "dev", near);
  await here("link", "set", near, "up");
  await there("address", "add", `${THERE}/30`, "dev", far);
  await there("link", "set", far, "up");
  await there("link", "set", "lo", "up");
  const owned = undo.move();
  return { enter, [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose]() };
}

test("amazon-direct needs no metadata service and no attachment: it works across a network", async () => {
  await using undo = new AsyncDisposableStack();
  const scratch = await mkdtemp(join(tmpdir(), "amibake-veth-"));
  undo.defer(() => rm(scratch, { recursive: true }));
  const { enter } = undo.use(await openNetwork());
  const store = join(scratch, "store");
  const amibake = await amibakeCommand();
  const there = async (...args: string[]) => {
    const argv = [...enter, ...amibake, "local", ...args, "--store", store];
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
