import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  DescribeImageAttributeCommand,
  DescribeImagesCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  EC2Client,
} from "@aws-sdk/client-ec2";
import { AsyncDisposableStack } from "../../src/base/async-disposable-stack.ts";
import type { SnapshotId } from "../../src/base/ids.ts";
import { listLoopDevices } from "../../src/linux/devices/loop-device.ts";
import { runCommand } from "../../src/linux/run-command.ts";
import { startLocalCloud } from "../../src/local-cloud/server.ts";
import { openDiskStorage } from "../../src/local-cloud/storage/open-disk-storage.ts";
import { tinyBaseImage } from "../helpers/base-image.ts";

// Few others take the last letter.
const DEVICE_PATH = "/dev/xvdz";

// The SDK reads it when a client is made.
process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";

const PACKER = "/usr/bin/packer";
const MISSING = existsSync(PACKER) ? false : "packer is not installed: apt-get install packer";

test("Packer's amazon-chroot builder bakes an image on the local cloud, with all that it modifies", {
  skip: MISSING,
}, async () => {
  const directory = await mkdtemp(join(tmpdir(), "amibake-packer-"));
  try {
    await using owned = new AsyncDisposableStack();
    const storeDirectory = join(directory, "store");
    const reports: string[] = [];
    const report = (message: string) => reports.push(message);
    const storage = owned.use(await openDiskStorage({ storeDirectory, nitro: false, report }));
    const address = { listen: "127.0.0.1", port: 0 };
    const settings = { storeDirectory, storage, latency: "none", seed: 1, nitro: false, report, ...address } as const;
    const cloud = owned.use(await startLocalCloud(settings));
    const disk = await tinyBaseImage({ layout: "mbr-multi" });
    const source = await cloud.importImage({
      name: "source",
      architecture: "x86_64",
      write: (snapshotId) => storage.importSnapshot(snapshotId, disk),
    });

    const template = join(directory, "template.json");
    await writeFile(
      template,
      JSON.stringify({
        builders: [
          {
            type: "amazon-chroot",
            ami_name: "baked",
            ami_description: "by packer",
            ami_users: ["111111111111"],
            ami_groups: ["all"],
            snapshot_users: ["111111111111"],
            tags: { by: "packer" },
            source_ami: source.imageId,
            custom_endpoint_ec2: cloud.url,
            region: cloud.region,
            access_key: cloud.credentials.accessKeyId,
            secret_key: cloud.credentials.secretAccessKey,
            // It finds a free name itself only on a host whose own disks are called sd or xvd.
            device_path: DEVICE_PATH,
            mount_path: join(directory, "mount"),
            chroot_mounts: [["proc", "proc", "/proc"]],
            copy_files: [],
          },
        ],
        provisioners: [{ type: "shell", inline: ["echo packer > /baked-by"] }],
      }),
    );
    const { stdout } = await runCommand([PACKER, "build", "-machine-readable", template], {
      env: {
        PATH: process.env["PATH"] ?? "",
        HOME: directory,
        CHECKPOINT_DISABLE: "1",
        AWS_POLL_DELAY_SECONDS: "1",
        AWS_MAX_ATTEMPTS: "60",
      },
    });
    const imageId = /artifact,0,id,us-east-1:(ami-[0-9a-f]+)/.exec(String(stdout))?.[1] ?? "";

    const { url: endpoint, region, credentials } = cloud;
    const ec2 = new EC2Client({ endpoint, region, credentials, maxAttempts: 1 });
    owned.defer(() => ec2.destroy());
    const { Images } = await ec2.send(new DescribeImagesCommand({ ImageIds: [imageId] }));
    const image = Images?.[0];
    assert.deepEqual(
      [image?.Name, image?.Description, image?.Architecture, image?.VirtualizationType, image?.Public],
      ["baked", "by packer", "x86_64", "hvm", true],
    );
    assert.deepEqual(image?.Tags, [{ Key: "by", Value: "packer" }]);
    const permissions = new DescribeImageAttributeCommand({ ImageId: imageId, Attribute: "launchPermission" });
    assert.deepEqual((await ec2.send(permissions)).LaunchPermissions, [{ Group: "all" }, { UserId: "111111111111" }]);
    const snapshotId = (image?.BlockDeviceMappings?.[0]?.Ebs?.SnapshotId ?? "") as SnapshotId;
    const { Snapshots } = await ec2.send(new DescribeSnapshotsCommand({ SnapshotIds: [snapshotId] }));
    assert.equal(Snapshots?.[0]?.State, "completed");
    assert.deepEqual((await ec2.send(new DescribeVolumesCommand({}))).Volumes, [], "Packer removed its volume");

    const exported = join(directory, "baked.raw");
    await storage.exportSnapshot(snapshotId, exported);
    // The root is the first partition, behind the first MiB.
    const { stdout: written } = await runCommand(["debugfs", "-R", "cat /baked-by", `${exported}?offset=${1024 ** 2}`]);
    assert.equal(String(written), "packer\n");
    assert.deepEqual(reports, []);
  } finally {
    assert.equal((await readFile("/proc/self/mounts", "utf8")).includes(directory), false, "a mount is left");
    await rm(directory, { recursive: true });
  }
  assert.equal(existsSync(DEVICE_PATH), false);
  const devices = (await listLoopDevices()).filter(({ backingFile }) => backingFile.startsWith(directory));
  assert.deepEqual(devices, []);
});
