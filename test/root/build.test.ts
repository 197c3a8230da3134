// Whole builds by the command line against the local cloud.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  DescribeImageAttributeCommand,
  DescribeImagesCommand,
  DescribeSnapshotsCommand,
  RegisterImageCommand,
} from "@aws-sdk/client-ec2";
import { runCommand } from "../../src/linux/run-command.ts";
import { writeTemplate } from "../helpers/build-template.ts";
import { readHostMounts } from "../helpers/host-state.ts";
import { readImageFile } from "../helpers/read-image.ts";
import { startTestCloud, type TestCloud } from "../helpers/test-cloud.ts";

let cloud: TestCloud;
before(async () => {
  cloud = await startTestCloud();
});
after(() => cloud[Symbol.asyncDispose]());

/** Builds, asserts that it succeeded and left only an image and a snapshot, and gives the image's id. */
async function bake(template: string): Promise<{ imageId: string; output: string }> {
  const earlier = new Set(await cloud.resources());
  const result = await cloud.amibake(["build", "-color=false", template]);
  assert.equal(result.exitCode, 0, result.stdout + result.stderr);
  const made = (await cloud.resources()).filter((id) => !earlier.has(id));
  assert.deepEqual(made.map((id) => id.replace(/-.*/, "")).sort(), ["ami", "snap"]);
  return { imageId: made.find((id) => id.startsWith("ami-")) ?? "", output: result.stdout };
}

test("a build writes what its provisioners wrote, and the AWS CLI sees what the template said", async () => {
  const template = await writeTemplate(
    cloud,
    {
      ami_name: "described",
      ami_description: "from {{.SourceAMI}} in {{.BuildRegion}}",
      ami_users: ["123456789012"],
      ami_groups: ["all"],
      tags: { Name: "web", Base: "{{.SourceAMIName}}" },
      snapshot_tags: { Name: "disk" },
      root_volume_size: 2,
    },
    [{ type: "shell", inline: ["echo baked >/etc/baked", "test -s /etc/resolv.conf"] }],
  );
  const { imageId } = await bake(template);
  assert.equal(await readImageFile(cloud, imageId, "/etc/baked"), "baked\n");

  const aws = async (...args: string[]) => {
    const { environment } = cloud;
    const argv = ["/usr/bin/aws", "--endpoint-url", environment["AWS_ENDPOINT_URL"] ?? "", "--output", "json", "ec2"];
    const { stdout } = await runCommand([...argv, ...args], {
      env: { ...environment, PATH: "/usr/bin:/bin", LC_ALL: "C.UTF-8", HOME: cloud.scratch },
    });
    return JSON.parse(stdout.toString());
  };
  const [described, permissions] = await Promise.all([
    aws("describe-images", "--image-ids", imageId),
    aws("describe-image-attribute", "--image-id", imageId, "--attribute", "launchPermission"),
  ]);
  const [image] = described.Images;
  assert.equal(image.Name, "described");
  assert.equal(image.Description, `from ${cloud.baseImageId} in us-east-1`);
  assert.deepEqual(tagsOf(image.Tags), { Name: "web", Base: "base" });
  const granted = permissions.LaunchPermissions.map(
    (entry: { UserId?: string; Group?: string }) => entry.UserId ?? entry.Group,
  );
  assert.deepEqual(granted.sort(), ["123456789012", "all"]);
  const { SnapshotId, VolumeSize } = image.BlockDeviceMappings[0].Ebs;
  const [snapshot] = (await aws("describe-snapshots", "--snapshot-ids", SnapshotId)).Snapshots;
  assert.equal(snapshot.State, "completed");
  assert.deepEqual(tagsOf(snapshot.Tags), { Name: "disk", Base: "base" });
  assert.equal(VolumeSize, 2);
});

test("build variables that a user variable holds are filled in where it is used", async () => {
  const variables = {
    command: "{{.Vars}} sh -c 'echo run by {{.Path}}; . {{.Path}}'",
    about: "{{.SourceAMI}} {{ .SourceAMIName }}",
    nested: "of {{user `about`}}",
    literal: '{{"{{.SourceAMIName}}"}}',
    unused: "{{.Nope}}",
  };
  const template = await writeTemplate(
    cloud,
    { ami_name: "filled in", ami_description: "{{user `nested`}}", tags: { Literal: "{{user `literal` | print}}" } },
    [
      {
        type: "shell",
        execute_command: "{{user `command`}}",
        environment_vars: ["ABOUT={{user `about`}}"],
        inline: ['echo "$ABOUT; {{user `about`}}; {{`{{`}}.Names}}" >/etc/about'],
      },
    ],
    { variables },
  );
  const { imageId, output } = await bake(template);
  assert.match(output, /run by \/tmp\/\S+/);
  const about = `${cloud.baseImageId} base`;
  assert.equal(await readImageFile(cloud, imageId, "/etc/about"), `${about}; ${about}; {{.Names}}\n`);
  const { Images } = await cloud.ec2.send(new DescribeImagesCommand({ ImageIds: [imageId] }));
  assert.equal(Images?.[0]?.Description, `of ${about}`);
  assert.deepEqual(Images?.[0]?.Tags, [{ Key: "Literal", Value: "base" }]);
});

test("lists of an HCL2 template that only the build knows are there when its provisioners run", async () => {
  const template = join(cloud.scratch, "lists.pkr.hcl");
  await writeFile(
    template,
    `source "amazon-chroot" "web" {
  ami_name   = "lists"
  source_ami = "${cloud.baseImageId}"
}
build {
  sources = ["source.amazon-chroot.web"]
  provisioner "file" {
    sources     = [for name in ["hosts", "passwd"] : "/etc/\${name}" if build.SourceAMI != ""]
    destination = "/srv/"
  }
  provisioner "shell" {
    environment_vars = split(",", "ID=\${build.SourceAMI},NAME=\${build.SourceAMIName}")
    inline           = concat(["ls /srv >/etc/lists"], [for part in split("-", build.SourceAMI) : "echo $NAME \${part} >>/etc/lists"])
  }
}
`,
  );
  const { imageId } = await bake(template);
  const [, id] = cloud.baseImageId.split("-");
  assert.equal(await readImageFile(cloud, imageId, "/etc/lists"), `hosts\npasswd\nbase ami\nbase ${id}\n`);
});

function tagsOf(tags: { Key: string; Value: string }[]): Record<string, string> {
  return Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));
}

test("the image inherits each attribute of its source that the template does not set", async () => {
  const { ec2 } = cloud;
  const base = (await ec2.send(new DescribeImagesCommand({ ImageIds: [cloud.baseImageId] }))).Images?.[0];
  const SnapshotId = base?.BlockDeviceMappings?.[0]?.Ebs?.SnapshotId;
  const attributes = {
    Architecture: "arm64",
    VirtualizationType: "hvm",
    EnaSupport: true,
    SriovNetSupport: "simple",
    BootMode: "uefi",
    TpmSupport: "v2.0",
    ImdsSupport: "v2.0",
  } as const;
  const mappings = [
    {
      DeviceName: "/dev/xvda",
      Ebs: { SnapshotId, VolumeType: "gp3", VolumeSize: 10, Iops: 4000, Throughput: 200, DeleteOnTermination: false },
    },
    { DeviceName: "/dev/sdb", VirtualName: "ephemeral0" },
    { DeviceName: "/dev/sdc", Ebs: { VolumeSize: 3, VolumeType: "gp2", Encrypted: true, DeleteOnTermination: true } },
  ] as const;
  const source = await ec2.send(
    new RegisterImageCommand({
      Name: "rich source",
      RootDeviceName: "/dev/xvda",
      UefiData: "QU1aTlVFRkk=",
      BlockDeviceMappings: mappings.map((mapping) => ({ ...mapping })),
      ...attributes,
    }),
  );
  const { imageId } = await bake(await writeTemplate(cloud, { ami_name: "rich", source_ami: source.ImageId }));
  const image = (await ec2.send(new DescribeImagesCommand({ ImageIds: [imageId] }))).Images?.[0];
  for (const [name, value] of Object.entries(attributes)) {
    assert.equal(image?.[name as keyof typeof attributes], value, name);
  }
  const uefi = await ec2.send(new DescribeImageAttributeCommand({ ImageId: imageId, Attribute: "uefiData" }));
  assert.equal(uefi.UefiData?.Value, "QU1aTlVFRkk=");
  const [root, ephemeral, data] = image?.BlockDeviceMappings ?? [];
  assert.notEqual(root?.Ebs?.SnapshotId, SnapshotId);
  const { VolumeType, Iops, Throughput, DeleteOnTermination } = root?.Ebs ?? {};
  assert.deepEqual([VolumeType, Iops, Throughput, DeleteOnTermination], ["gp3", 4000, 200, false]);
  assert.equal(ephemeral?.VirtualName, "ephemeral0");
  assert.deepEqual([data?.DeviceName, data?.Ebs?.VolumeSize, data?.Ebs?.VolumeType], ["/dev/sdc", 3, "gp2"]);
  assert.equal(data?.Ebs?.Encrypted, true);
});

test("a daemon that a provisioner starts, or starts and stops, delays nothing", async () => {
  const daemon = "start-stop-daemon --pidfile /tmp/daemon.pid --exec /bin/sleep";
  const template = await writeTemplate(cloud, {}, [
    {
      type: "shell",
      inline: [`${daemon} --start --background --make-pidfile -- 600`, "sleep 0.3", `${daemon} --stop --retry TERM/60`],
    },
    // The sleep: until it calls exec, the daemon goes by the name of start-stop-daemon.
    { type: "shell", inline: [`${daemon} --start --background --make-pidfile -- 601`, "sleep 0.3"] },
  ]);
  const { output } = await bake(template);
  assert.match(output, /Ended 1 process left in the image: \S*sleep 601/);
  const stepSeconds = [...output.matchAll(/done in ([\d.]+) s$/gm)].map(([, seconds]) => Number(seconds));
  assert.ok(stepSeconds.length > 2 && Math.max(...stepSeconds) < 5, `a stopped daemon was waited for:\n${output}`);
});

test("a failing script is named with its exit code and its last lines, and nothing is left", async () => {
  const earlier = await cloud.resources();
  const template = await writeTemplate(cloud, {}, [{ type: "shell", inline: ["echo the last words", "exit 42"] }]);
  const result = await cloud.amibake(["build", "-color=false", template]);
  assert.equal(result.exitCode, 1, result.stdout);
  const text = result.stdout + result.stderr;
  assert.match(text, /template-\d+\.json:\d+:\d+/);
  assert.match(text, /exit code (is )?42/);
  assert.match(text, /the last words/);
  assert.deepEqual(await cloud.resources(), earlier);
});

test("a script that leaves something printing for ever is over when it ends", async () => {
  const loop = "(while :; do echo still here; sleep 0.05; done) &";
  const start = performance.now();
  const { output } = await bake(await writeTemplate(cloud, {}, [{ type: "shell", inline: [loop, "exit 0"] }]));
  assert.ok(performance.now() - start < 10_000, output);
});

test("what can be known before is checked before anything is made", async () => {
  const earlier = await cloud.resources();
  const refused = async (builder: Record<string, unknown>, message: RegExp) => {
    const result = await cloud.amibake(["build", "-color=false", await writeTemplate(cloud, builder)]);
    assert.equal(result.exitCode, 1);
    const text = result.stdout + result.stderr;
    assert.match(text, message);
    assert.doesNotMatch(text, /Creating a volume| {4}at /);
  };
  await refused({ ami_name: "base" }, /Cannot name the image "base": ami-\w+ has that name in us-east-1/);
  await refused(
    { source_ami: "ami-0123456789abcdef0" },
    /Cannot find the source image "ami-0123456789abcdef0" in us-east-1[\s\S]*InvalidAMIID.NotFound/,
  );
  await refused(
    { source_ami: undefined, source_ami_filter: { filters: { name: "no such*" }, owners: ["self"] } },
    /Cannot find an image that matches source_ami_filter/,
  );
  assert.deepEqual(await cloud.resources(), earlier);
});

test("product codes of the template are set; such an image is then refused as a source before anything is made", async () => {
  // A cloud of its own: EC2 passes the codes on to the snapshots.
  await using market = await startTestCloud();
  const productCode = "abcdefghijklmnopqrstuvwxy";
  const built = await market.amibake(["build", await writeTemplate(market, { ami_product_codes: [productCode] })]);
  assert.equal(built.exitCode, 0, built.stdout);
  const images = (await market.ec2.send(new DescribeImagesCommand({ Owners: ["self"] }))).Images ?? [];
  const image = images.find(({ ImageId }) => ImageId !== market.baseImageId);
  assert.deepEqual(image?.ProductCodes, [{ ProductCodeId: productCode, ProductCodeType: "marketplace" }]);

  const earlier = await market.resources();
  for (const [type, reason] of [
    ["amazon-chroot", /EC2 does not attach such a volume[\s\S]*file copy of its root/],
    [
      "amazon-direct",
      /AWS does not say that a snapshot which is written block by block keeps it[\s\S]*CreateImage keeps the code/,
    ],
  ] as const) {
    const template = await writeTemplate(market, { type, source_ami: image?.ImageId });
    const env = { AMIBAKE_CACHE_DIR: join(market.scratch, "cache") };
    const refused = await market.amibake(["build", template], { env });
    assert.equal(refused.exitCode, 1);
    const output = refused.stdout + refused.stderr;
    assert.match(output, /it carries the Marketplace product code abcdefghijklmnopqrstuvwxy, and /);
    assert.match(output, reason);
    assert.doesNotMatch(refused.stdout, /Creating a volume|Opening/);
    assert.deepEqual(await market.resources(), earlier);
  }
});

test("a host command sees the mountpoint: Ansible's chroot connection changes the image", async () => {
  // The root is mounted first, when nothing is below it yet.
  const script = join(cloud.scratch, "mount-and-provision");
  const lines = [
    "#!/bin/sh -e",
    'mount "$@"',
    "for mountpoint; do :; done",
    'case "$mountpoint" in */proc | */sys | */dev | */pts | */binfmt_misc) exit 0 ;; esac',
    "HOME=/tmp LC_ALL=C.UTF-8 ansible all -i \"$mountpoint,\" -c chroot -m raw -a 'echo by ansible >/etc/ansible-was-here'",
  ];
  await writeFile(script, `${lines.join("\n")}\n`, { mode: 0o755 });
  const command = script;
  const { imageId } = await bake(await writeTemplate(cloud, { ami_name: "by ansible", mount_command: command }));
  assert.equal(await readImageFile(cloud, imageId, "/etc/ansible-was-here"), "by ansible\n");
});

test("the host's resolv.conf and mount table are byte for byte as before", async () => {
  const look = () => Promise.all([readFile("/etc/resolv.conf", "utf8"), readHostMounts()]);
  const earlier = await look();
  await bake(
    await writeTemplate(cloud, { ami_name: "untouched" }, [{ type: "shell", inline: ["mount -t tmpfs tmpfs /tmp"] }]),
  );
  assert.deepEqual(await look(), earlier);
});

test("snapshots of a build are the account's only new ones", async () => {
  const { Snapshots = [] } = await cloud.ec2.send(new DescribeSnapshotsCommand({ OwnerIds: ["self"] }));
  assert.ok(Snapshots.every(({ State }) => State === "completed"));
});
