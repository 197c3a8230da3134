// `amibake snapshot upload`, `snapshot download` and `verify`, and what `clean` does about uploads.
import assert from "node:assert/strict";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { DescribeSnapshotsCommand, RegisterImageCommand } from "@aws-sdk/client-ec2";
import { runAmibake } from "../helpers/amibake-cli.ts";
import { assertSameDisk, startTransferFixture, type TransferFixture } from "../helpers/transfer-fixture.ts";

function commandsOf({ environment: env, directory: cwd }: TransferFixture) {
  return (...args: string[]) => runAmibake(args, { env, cwd });
}

async function snapshotsOf({ fixture }: TransferFixture) {
  const { Snapshots = [] } = await fixture.ec2().send(new DescribeSnapshotsCommand({ OwnerIds: ["self"] }));
  return Snapshots;
}

function lastJson(text: string): Record<string, unknown> {
  return JSON.parse(text.trim().split("\n").at(-1) ?? "");
}

test("a disk goes up, is verified, and comes down; the results are on standard output, all else beside it", async () => {
  await using transfer = await startTransferFixture(10);
  const amibake = commandsOf(transfer);
  const tags = ["--tag", "Name=web", "--tag", "note=a=b"];
  const uploaded = await amibake("snapshot", "upload", "disk.raw", "--size", "2", ...tags);
  assert.equal(uploaded.exitCode, 0, uploaded.stderr);
  const [, id = ""] =
    /^(snap-[0-9a-f]{17}) {2}\(2 GiB, 5 MiB written in .* s; 10 puts, 1 listing: /.exec(uploaded.stdout) ?? [];
  assert.notEqual(id, "", uploaded.stdout);
  assert.match(uploaded.stderr, new RegExp(`^Uploading into ${id}, 2 GiB\n(.*\n)*10 of 10 blocks, 5 MiB sent\n`));
  const [snapshot] = await snapshotsOf(transfer);
  assert.deepEqual(
    [snapshot?.SnapshotId, snapshot?.State, snapshot?.Description, snapshot?.VolumeSize],
    [id, "completed", "disk.raw", 2],
  );
  const tagged = Object.fromEntries((snapshot?.Tags ?? []).map(({ Key, Value }) => [Key, Value]));
  assert.deepEqual(tagged, { Name: "web", note: "a=b" });

  const verified = await amibake("verify", id);
  assert.equal(verified.exitCode, 0, verified.stderr);
  assert.match(
    verified.stdout,
    new RegExp(`^${id} {2}\\(.* is what was written, 10 of 10 blocks compared; 10 gets, 1 listing: `),
  );

  const downloaded = await amibake("snapshot", "download", id, "back.raw");
  assert.equal(downloaded.exitCode, 0, downloaded.stderr);
  assert.match(downloaded.stdout, /^\/.*\/back\.raw {2}\(2 GiB, 5 MiB of data in .* s; 10 gets, 1 listing: /);
  assert.equal((await stat(join(transfer.directory, "back.raw"))).size, 2 * 1024 ** 3);
  const again = await amibake("snapshot", "download", id, "back.raw");
  assert.deepEqual([again.exitCode, again.stdout], [2, ""]);
  assert.match(again.stderr, /the file exists\n {2}hint: Replace it with --force/);
});

test("a snapshot that is not what was written is told block by block, with exit code 1", async () => {
  await using transfer = await startTransferFixture(5);
  const amibake = commandsOf(transfer);
  const snapshotId = await transfer.upload();
  const manifest = await transfer.manifests.read(snapshotId);
  const blocks = [...(manifest?.blocks ?? [])].map(({ blockIndex, sha256 }) => [
    blockIndex,
    Buffer.from(sha256).toString("hex"),
  ]);
  const [[first] = [0], ...others] = blocks;
  const changed = [[first, "ab".repeat(32)], ...others.slice(1), [2000, "cd".repeat(32)]];
  const block_manifests = [{ snapshot_id: snapshotId, size_bytes: 1024 ** 3, block_size: 524_288, blocks: changed }];
  const file = join(transfer.directory, "packer-manifest.json");
  await writeFile(file, JSON.stringify({ builds: [{ block_manifests }] }));
  const text = await amibake("verify", snapshotId, "--manifest", file);
  assert.equal(text.exitCode, 1);
  assert.match(text.stdout, /it is not what was written/);
  assert.match(text.stderr, new RegExp(`${snapshotId}: 1 blocks are missing: 2000\n`));
  assert.match(text.stderr, new RegExp(`${snapshotId}: 1 blocks are extra: ${others[0]?.[0]}\n`));
  assert.match(text.stderr, new RegExp(`${snapshotId}: 1 blocks are different: ${first}\n`));
  const json = await amibake("verify", snapshotId, "--manifest", file, "--json");
  const records = json.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const verified = records.filter(({ type }) => type === "verified");
  assert.deepEqual(
    verified.map(({ isSame, differences }) => [isSame, differences]),
    [[false, { missing: [2000], extra: [others[0]?.[0]], different: [first] }]],
  );
  assert.deepEqual([records.at(-1).type, records.at(-1).isSame], ["verify", false]);

  await transfer.manifests.remove(snapshotId);
  const unknown = await amibake("verify", snapshotId);
  assert.equal(unknown.exitCode, 2);
  assert.match(unknown.stderr, /this host has no manifest of it in .*\n {2}hint: .*--manifest FILE/);
  const noSnapshot = await amibake("verify", "snap-00000000000000000", "--manifest", file);
  assert.match(noSnapshot.stderr, /it says nothing of snap-00000000000000000, only of/);
});

test("an upload that is interrupted tells how to go on; the same command does, and clean removes", async () => {
  await using transfer = await startTransferFixture(100);
  const { environment: env, directory: cwd, puts } = transfer;
  const amibake = commandsOf(transfer);
  transfer.strike({ fault: "slow", actions: ["PutSnapshotBlock"], seconds: 0.2 });
  const interrupt = async (count: number) => {
    puts.length = 0;
    const upload = await runAmibake(["snapshot", "upload", "disk.raw"], {
      env,
      cwd,
      onStart(child) {
        const look = setInterval(() => {
          if (puts.length < count) return;
          clearInterval(look);
          child.kill("SIGINT");
        }, 5);
      },
    });
    assert.equal(upload.exitCode, 3, upload.stderr);
    assert.equal(upload.stdout, "");
    assert.match(upload.stderr, /Received SIGINT/);
    assert.match(
      upload.stderr,
      /snap-\w+ is not complete\. Run the same command again to go on, or remove it: amibake clean\n$/,
    );
    return upload.stderr;
  };
  await interrupt(20);
  assert.match(await interrupt(20), /Going on with snap-\w+: \d+ blocks are there already\n/);
  const [pending] = await snapshotsOf(transfer);
  assert.equal(pending?.State, "pending");
  const dry = await amibake("clean", "--dry-run");
  assert.match(
    dry.stdout,
    new RegExp(`upload of ${transfer.path}, begun .*\n {4}would remove snapshot ${pending?.SnapshotId}\n`),
  );
  const cleaned = await amibake("clean");
  assert.match(cleaned.stdout, new RegExp(`removed snapshot ${pending?.SnapshotId}\nRemoved 1 thing\\.\n$`));
  assert.deepEqual(await snapshotsOf(transfer), []);
  assert.deepEqual(await readdir(join(env["AMIBAKE_STATE_DIR"] ?? "", "uploads")), []);
  transfer.strike();
  assert.equal((await amibake("snapshot", "upload", "disk.raw")).exitCode, 0);
});

test("clean asks the endpoints that an upload had, whatever the environment says today", async () => {
  await using transfer = await startTransferFixture(1);
  const { environment: env, directory: cwd } = transfer;
  transfer.strike({ fault: "slow", actions: ["StartSnapshot"], seconds: 10 });
  const uploads = join(env["AMIBAKE_STATE_DIR"] ?? "", "uploads");
  const killed = await runAmibake(["snapshot", "upload", "disk.raw"], {
    env,
    cwd,
    onStart(child) {
      const look = setInterval(async () => {
        const [name] = await readdir(uploads).catch(() => []);
        // With the record, which comes right before the call.
        if (name === undefined || !(await readFile(join(uploads, name), "utf8")).includes("\n")) return;
        clearInterval(look);
        child.kill("SIGKILL");
      }, 5);
    },
  });
  assert.equal(killed.signal, "SIGKILL", killed.stderr);
  transfer.strike();
  const { AWS_ENDPOINT_URL: _endpoint, ...today } = env;
  const cleaned = await runAmibake(["clean"], { env: today, cwd });
  assert.match(cleaned.stdout, /removed snapshot snap-\w+\nRemoved 1 thing\.\n$/);
  assert.deepEqual(await snapshotsOf(transfer), []);
});

test("an interrupted download goes on too, and leaves nothing in the account", async () => {
  await using transfer = await startTransferFixture(100);
  const { environment: env, directory: cwd } = transfer;
  const snapshotId = await transfer.upload();
  transfer.strike({ fault: "slow", actions: ["GetSnapshotBlock"], seconds: 0.2 });
  const argv = ["snapshot", "download", snapshotId, "back.raw", "--json"];
  const stopped = await runAmibake(argv, {
    env,
    cwd,
    onStart(child) {
      const look = setInterval(async () => {
        const log = await stat(join(cwd, "back.raw.part.log")).catch(() => undefined);
        if ((log?.size ?? 0) < 1000) return;
        clearInterval(look);
        child.kill("SIGTERM");
      }, 5);
    },
  });
  assert.equal(stopped.exitCode, 130, stopped.stderr);
  const records = stopped.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    records.slice(-2).map(({ type }) => type),
    ["left-behind", "error"],
  );
  transfer.strike();
  const finished = await runAmibake(argv, { env, cwd });
  assert.equal(finished.exitCode, 0, finished.stderr);
  assert.match(finished.stdout, /"type":"resumed","writtenBlocks":\d+/);
  assert.equal(lastJson(finished.stdout)["blockCount"], 100);
  await assertSameDisk(transfer.path, join(cwd, "back.raw"));
});

test("verify says how many blocks it compared, where the hashes of others are not recorded", async () => {
  await using transfer = await startTransferFixture(5);
  const amibake = commandsOf(transfer);
  const snapshotId = await transfer.upload();
  const manifest = await transfer.manifests.read(snapshotId);
  const blocks = [...(manifest?.blocks ?? [])].map(({ blockIndex, sha256 }, position) => [
    blockIndex,
    position < 2 ? null : Buffer.from(sha256).toString("hex"),
  ]);
  const block_manifests = [{ snapshot_id: snapshotId, size_bytes: 1024 ** 3, block_size: 524_288, blocks }];
  const file = join(transfer.directory, "packer-manifest.json");
  await writeFile(file, JSON.stringify({ builds: [{ block_manifests }] }));
  const text = await amibake("verify", snapshotId, "--manifest", file);
  assert.equal(text.exitCode, 0, text.stderr);
  assert.match(
    text.stdout,
    /\(3 of 5 blocks compared, and as they were written; the other 2 have no recorded hash; 3 gets/,
  );
  assert.doesNotMatch(text.stdout, /it is what was written/);
  const { isSame, blockCount, unknownCount } = lastJson(
    (await amibake("verify", snapshotId, "--manifest", file, "--json")).stdout,
  );
  assert.deepEqual([isSame, blockCount, unknownCount], [true, 3, 2]);
});

test("an image is verified with all of its snapshots", async () => {
  await using transfer = await startTransferFixture(4);
  const amibake = commandsOf(transfer);
  const snapshotId = await transfer.upload();
  const BlockDeviceMappings = ["/dev/xvda", "/dev/xvdb"].map((DeviceName) => ({
    DeviceName,
    Ebs: { SnapshotId: snapshotId },
  }));
  const image = { Name: "web", RootDeviceName: "/dev/xvda", VirtualizationType: "hvm", BlockDeviceMappings };
  const { ImageId = "" } = await transfer.fixture.ec2().send(new RegisterImageCommand(image));
  const verified = await amibake("verify", ImageId);
  assert.equal(verified.exitCode, 0, verified.stderr);
  assert.match(verified.stdout, new RegExp(`^${ImageId} {2}\\(.* is what was written, 4 of 4 blocks compared; 4 gets`));
  const missing = await amibake("verify", "ami-00000000000000000");
  assert.match(missing.stderr, /ami-00000000000000000/);
  assert.notEqual(missing.exitCode, 0);
});

for (const [what, args, message] of [
  [
    "a store without the local cloud",
    ["snapshot", "upload", "x", "--store", "y"],
    "Cannot use --store without --local",
  ],
  ["a tag without a value", ["snapshot", "upload", "x", "--tag", "Name"], 'Cannot understand --tag "Name"'],
  ["a tag given twice", ["snapshot", "upload", "x", "--tag", "a=", "--tag", "a=b"], 'Cannot give the tag "a" twice'],
  [
    "a key for a child",
    ["snapshot", "upload", "x", "--parent", "snap-1", "--kms-key", "k"],
    "Cannot use --kms-key with --parent: a child has its parent's encryption",
  ],
  ["a size that is none", ["snapshot", "upload", "x", "--size", "0"], "it is not a whole number between 1 and 65536"],
  [
    "a profile of the local cloud",
    ["verify", "snap-1", "--local", "--profile", "p"],
    "Cannot use --profile with --local",
  ],
  [
    "what is neither image nor snapshot",
    ["verify", "vol-1"],
    'Cannot verify "vol-1": it is no id of an image or a snapshot',
  ],
] as const) {
  test(`${what} is refused`, async () => {
    const environment = { AWS_ACCESS_KEY_ID: "x", AWS_SECRET_ACCESS_KEY: "y", AWS_REGION: "us-east-1" };
    const result = await runAmibake(args, { env: environment });
    assert.equal(result.exitCode, 2, result.stderr);
    assert.ok(result.stderr.includes(message), result.stderr);
  });
}

test("the id that is kept in a manifest's name cannot lead elsewhere", async () => {
  await using transfer = await startTransferFixture(1);
  const result = await commandsOf(transfer)("verify", "snap-../../x");
  assert.equal(result.exitCode, 2);
  assert.match(result.stderr, /it is no id of a snapshot/);
});
