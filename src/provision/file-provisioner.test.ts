import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type HostCommunicator, openHostCommunicator } from "../../test/helpers/host-communicator.ts";
import { systemClock } from "../base/clock.ts";
import { plainText } from "../template/deferred.ts";
import { fileProvisionerSchema } from "../template/schema/file-provisioner.ts";
import { runFileProvisioner } from "./file-provisioner.ts";

interface Bench extends AsyncDisposable {
  readonly image: HostCommunicator;
  /** A directory of the host with `app.conf` (mode 640) and `tree/inner/leaf`. */
  readonly host: string;
  readonly messages: string[];
  run(config: Record<string, unknown>): Promise<void>;
}

async function openBench(): Promise<Bench> {
  const image = await openHostCommunicator();
  const host = await mkdtemp(join(tmpdir(), "amibake-host-"));
  await writeFile(join(host, "app.conf"), "a=1\n");
  await chmod(join(host, "app.conf"), 0o640);
  await mkdir(join(host, "tree/inner"), { recursive: true });
  await writeFile(join(host, "tree/inner/leaf"), "leaf\n");
  const messages: string[] = [];
  return {
    image,
    host,
    messages,
    run(config) {
      const texts = ["source", "content", "destination"].flatMap((key) => {
        const value = config[key];
        return typeof value === "string" ? [[key, plainText(value)]] : [];
      });
      return runFileProvisioner(fileProvisionerSchema.parse({ ...config, ...Object.fromEntries(texts) }), {
        communicator: image,
        variables: {},
        buildName: "web",
        buildType: "amazon-chroot",
        signal: new AbortController().signal,
        emit: (event) => messages.push(event.type === "message" ? event.text : event.type),
        clock: systemClock,
      });
    },
    async [Symbol.asyncDispose]() {
      await image[Symbol.asyncDispose]();
      await rm(host, { recursive: true, force: true });
    },
  };
}

test("runFileProvisioner() uploads a file under the destination's name, or into a directory under its own", async () => {
  await using bench = await openBench();
  const { directory } = bench.image;
  await bench.run({ source: join(bench.host, "app.conf"), destination: join(directory, "etc.conf") });
  await bench.run({ source: join(bench.host, "app.conf"), destination: `${directory}/etc/` });
  assert.equal(await readFile(join(directory, "etc.conf"), "utf8"), "a=1\n");
  assert.equal((await stat(join(directory, "etc/app.conf"))).mode & 0o777, 0o640);
  assert.equal(bench.messages[0], `Uploading ${bench.host}/app.conf => ${directory}/etc.conf`);
});

test("runFileProvisioner() uploads a directory itself, or with a slash what is in it", async () => {
  await using bench = await openBench();
  const { directory } = bench.image;
  await bench.run({ source: join(bench.host, "tree"), destination: join(directory, "one") });
  await bench.run({ source: `${join(bench.host, "tree")}/`, destination: join(directory, "two") });
  assert.deepEqual(await readdir(join(directory, "one")), ["tree"]);
  assert.deepEqual(await readdir(join(directory, "two")), ["inner"]);
});

test("runFileProvisioner() uploads each of several sources", async () => {
  await using bench = await openBench();
  const sources = ["app.conf", "tree"].map((name) => plainText(join(bench.host, name)));
  await bench.run({ sources, destination: `${bench.image.directory}/all/` });
  assert.deepEqual((await readdir(join(bench.image.directory, "all"))).sort(), ["app.conf", "tree"]);
});

test("runFileProvisioner() writes a content, but not over a directory", async () => {
  await using bench = await openBench();
  const { directory } = bench.image;
  await bench.run({ content: "text\n", destination: join(directory, "motd") });
  assert.equal(await readFile(join(directory, "motd"), "utf8"), "text\n");
  await mkdir(join(directory, "etc"));
  await assert.rejects(bench.run({ content: "text", destination: join(directory, "etc") }), {
    code: "ERR_FILE_DESTINATION",
    message: `Cannot write the content to "${directory}/etc": it is a directory`,
    hint: `Name the file: "destination": "${directory}/etc/NAME"`,
  });
});

test("runFileProvisioner() downloads files and directories and makes the directories they need", async () => {
  await using bench = await openBench();
  const { directory } = bench.image;
  await mkdir(join(directory, "log/apt"), { recursive: true });
  await writeFile(join(directory, "log/apt/history"), "installed\n");
  const download = (source: string, destination: string) =>
    bench.run({ direction: "download", source: join(directory, source), destination: join(bench.host, destination) });
  await download("log/apt/history", "new/deep/history.txt");
  await download("log/apt/history", "new/into/");
  await download("log/apt/history", "tree");
  await download("log/apt", "whole");
  for (const path of ["new/deep/history.txt", "new/into/history", "tree/history", "whole/apt/history"]) {
    assert.equal(await readFile(join(bench.host, path), "utf8"), "installed\n", path);
  }
});

test("runFileProvisioner() names a generated source that is not there after all", async () => {
  await using bench = await openBench();
  await assert.rejects(bench.run({ source: "/no/such", generated: true, destination: "/x" }), {
    code: "ERR_FILE_SOURCE",
    message: 'Cannot upload "/no/such": there is no such file',
  });
});
