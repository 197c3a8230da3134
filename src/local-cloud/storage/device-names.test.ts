import assert from "node:assert/strict";
import { test } from "node:test";
import type { VolumeId } from "../../base/ids.ts";
import { nitroDeviceNames, xenDeviceNames } from "./device-names.ts";

for (const [asked, disk, partition] of [
  ["/dev/sdf", "xvdf", "xvdf1"],
  ["/dev/xvdf", "xvdf", "xvdf1"],
  ["/dev/xvdba", "xvdba", "xvdba1"],
  ["sdh", "xvdh", "xvdh1"],
  ["/dev/sdf15", "xvdf15", "xvdf15p1"],
  ["/dev/hda", "xvda", "xvda1"],
] as const) {
  test(`xenDeviceNames() makes ${disk} of ${asked}`, () => {
    const names = xenDeviceNames(asked);
    assert.equal(names.disk, disk);
    assert.equal(names.partition(1), partition);
    assert.equal(names.link, undefined);
  });
}

for (const asked of [
  "",
  "/dev/",
  "/dev/sdF",
  "/dev/sdf/../sda",
  "/dev/nvme1n1",
  "../sdf",
  "/dev/sdfff",
  "/dev/sdf123",
]) {
  test(`xenDeviceNames() refuses "${asked}"`, () => {
    assert.throws(() => xenDeviceNames(asked), { code: "ERR_DEVICE_NAME" });
  });
}

test("nitroDeviceNames() puts the volume id into the links", () => {
  const names = nitroDeviceNames(3, "vol-0abc" as VolumeId);
  assert.equal(names.disk, "nvme3n1");
  assert.equal(names.partition(2), "nvme3n1p2");
  assert.equal(names.link?.(), "disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0abc");
  assert.equal(names.link?.(2), "disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0abc-part2");
});
