import assert from "node:assert/strict";
import { test } from "node:test";
import { AWS_CLI_MISSING, awsCli } from "../helpers/aws-cli.ts";
import { startCloudFixture } from "../helpers/local-cloud-fixture.ts";

test("The AWS CLI works through the life of an image, from an empty volume to nothing left", {
  skip: AWS_CLI_MISSING,
}, async () => {
  await using fixture = await startCloudFixture();
  const { accountId, instanceId } = fixture.cloud;
  await using cli = awsCli(fixture);
  const all = (...lines: string[]) => Promise.all(lines.map((line) => cli.run(line)));
  const ok = async (line: string) => {
    const outcome = await cli.run(line);
    assert.equal(outcome.exitCode, 0, `${line}: ${outcome.stderr}`);
    return outcome.json;
  };

  const [identity, regions, zones, instances, nothing] = await all(
    "sts get-caller-identity",
    "ec2 describe-regions --all-regions",
    "ec2 describe-availability-zones --filters Name=zone-name,Values=us-east-1a",
    "ec2 describe-instances --filters Name=instance-state-name,Values=running",
    "ec2 describe-images --owners self",
  );
  assert.equal(identity?.json.Account, accountId);
  assert.equal(regions?.json.Regions.length, 32);
  assert.equal(zones?.json.AvailabilityZones[0].ZoneId, "use1-az1");
  assert.equal(instances?.json.Reservations[0].Instances[0].InstanceId, instanceId);
  assert.deepEqual(nothing?.json.Images, []);

  const { VolumeId } = await ok(
    "ec2 create-volume --availability-zone us-east-1a --size 1 --volume-type gp3 --client-token t1 --tag-specifications ResourceType=volume,Tags=[{Key=Name,Value=root~disk}]",
  );
  await ok(`ec2 wait volume-available --volume-ids ${VolumeId}`);
  const attached = await ok(`ec2 attach-volume --volume-id ${VolumeId} --instance-id ${instanceId} --device /dev/sdf`);
  assert.equal(attached.State, "attaching");
  const [inUse, status, again] = await all(
    "ec2 describe-volumes --filters Name=attachment.device,Values=/dev/sd? Name=tag:Name,Values=root*",
    `ec2 describe-volume-status --volume-ids ${VolumeId}`,
    `ec2 attach-volume --volume-id ${VolumeId} --instance-id ${instanceId} --device /dev/sdg`,
  );
  assert.equal(inUse?.json.Volumes[0].Attachments[0].State, "attached");
  assert.equal(status?.json.VolumeStatuses[0].VolumeStatus.Status, "ok");
  assert.notEqual(again?.exitCode, 0);
  assert.match(again?.stderr ?? "", /An error occurred \(VolumeInUse\) when calling the AttachVolume operation: vol-/);
  await ok(`ec2 detach-volume --volume-id ${VolumeId}`);

  const { SnapshotId } = await ok(
    `ec2 create-snapshot --volume-id ${VolumeId} --description a~snapshot --tag-specifications ResourceType=snapshot,Tags=[{Key=a,Value=b}]`,
  );
  await ok(`ec2 wait snapshot-completed --snapshot-ids ${SnapshotId}`);
  const { ImageId } = await ok(
    `ec2 register-image --name cli-image --architecture x86_64 --virtualization-type hvm --ena-support --root-device-name /dev/xvda --block-device-mappings DeviceName=/dev/xvda,Ebs={SnapshotId=${SnapshotId},VolumeType=gp3}`,
  );
  await ok(`ec2 wait image-available --image-ids ${ImageId}`);
  await ok(
    `ec2 modify-image-attribute --image-id ${ImageId} --launch-permission Add=[{UserId=111111111111},{Group=all}]`,
  );
  await all(
    `ec2 modify-image-attribute --image-id ${ImageId} --description a~description`,
    `ec2 modify-snapshot-attribute --snapshot-id ${SnapshotId} --attribute createVolumePermission --operation-type add --user-ids 111111111111`,
    `ec2 create-tags --resources ${ImageId} ${SnapshotId} --tags Key=Team,Value=infra Key=empty,Value=`,
    `ec2 enable-image-deprecation --image-id ${ImageId} --deprecate-at 2035-01-01T00:00:00Z`,
  );
  const [image, permission, snapshots, shared, tags, copy] = await all(
    `ec2 describe-images --image-ids ${ImageId}`,
    `ec2 describe-image-attribute --image-id ${ImageId} --attribute launchPermission`,
    `ec2 describe-snapshots --owner-ids self --filters Name=status,Values=completed --max-items 5 --page-size 5`,
    `ec2 describe-snapshot-attribute --snapshot-id ${SnapshotId} --attribute createVolumePermission`,
    `ec2 describe-tags --filters Name=resource-id,Values=${ImageId}`,
    `ec2 copy-image --name cli-copy --source-image-id ${ImageId} --source-region us-east-1`,
  );
  assert.deepEqual(
    [image?.json.Images[0].Name, image?.json.Images[0].Description, image?.json.Images[0].Public],
    ["cli-image", "a description", true],
  );
  assert.equal(image?.json.Images[0].EnaSupport, true);
  assert.equal(image?.json.Images[0].DeprecationTime, "2035-01-01T00:00:00.000Z");
  assert.deepEqual(permission?.json.LaunchPermissions, [{ Group: "all" }, { UserId: "111111111111" }]);
  assert.equal(snapshots?.json.Snapshots[0].Description, "a snapshot");
  assert.deepEqual(shared?.json.CreateVolumePermissions, [{ UserId: "111111111111" }]);
  assert.deepEqual(
    tags?.json.Tags.map(({ Key, Value }: { Key: string; Value: string }) => `${Key}=${Value}`),
    ["Team=infra", "empty="],
  );

  const [dryRun, inUseError, unknown, encryption] = await all(
    `ec2 delete-volume --volume-id ${VolumeId} --dry-run`,
    `ec2 delete-snapshot --snapshot-id ${SnapshotId}`,
    "ec2 describe-images --image-ids ami-00000000000000000",
    "ec2 get-ebs-encryption-by-default",
  );
  assert.match(dryRun?.stderr ?? "", /\(DryRunOperation\)/);
  assert.match(inUseError?.stderr ?? "", /\(InvalidSnapshot\.InUse\)/);
  assert.match(unknown?.stderr ?? "", /\(InvalidAMIID\.NotFound\) .* The image id '\[ami-0{17}\]' does not exist/);
  assert.equal(encryption?.json.EbsEncryptionByDefault, false);

  for (const id of [ImageId, copy?.json.ImageId]) await ok(`ec2 deregister-image --image-id ${id}`);
  const left = (await ok("ec2 describe-snapshots --owner-ids self")).Snapshots;
  assert.equal(left.length, 2);
  const removed = await all(
    ...left.map(({ SnapshotId }: { SnapshotId: string }) => `ec2 delete-snapshot --snapshot-id ${SnapshotId}`),
    `ec2 delete-volume --volume-id ${VolumeId}`,
  );
  assert.deepEqual(
    removed.map(({ exitCode, stderr }) => [exitCode, stderr]),
    Array(3).fill([0, ""]),
  );
  assert.deepEqual([fixture.storage.volumes.size, fixture.storage.snapshots.size, fixture.reports.length], [0, 0, 0]);
  assert.ok(cli.count() >= 30, `${cli.count()} calls`);
});
