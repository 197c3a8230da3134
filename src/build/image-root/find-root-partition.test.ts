import assert from "node:assert/strict";
import { test } from "node:test";
import type { Partition } from "../../linux/devices/partitions.ts";
import { chooseRootPartition } from "./find-root-partition.ts";

const LINUX = "0fc63daf-8483-4772-8e79-3d69d8477de4";
const X86_64_ROOT = "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709";
const BIOS_BOOT = "21686148-6449-6e6f-744e-656564454649";
const EFI = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";

const partition = (number: number, type: string, label = ""): Partition => ({
  number,
  type,
  label,
  uuid: "",
  startBytes: number * 2 ** 20,
  sizeBytes: 2 ** 20,
});

const cases: [name: string, partitions: Partition[], number: number, reason: RegExp][] = [
  ["one partition", [partition(3, LINUX)], 3, /^the only one$/],
  ["Debian's cloud image", [partition(14, BIOS_BOOT), partition(15, EFI), partition(1, X86_64_ROOT)], 1, /type/],
  ["a typed root that is not first", [partition(1, LINUX, "data"), partition(2, X86_64_ROOT)], 2, /type/],
  ["boot partitions around one other", [partition(1, BIOS_BOOT), partition(2, LINUX), partition(3, EFI)], 2, /booting/],
  ["Amazon Linux's label", [partition(1, LINUX, "Linux"), partition(2, LINUX, "data")], 1, /label "Linux"/],
  ["two roots", [partition(1, X86_64_ROOT), partition(2, X86_64_ROOT)], 1, /default.*mount_partition/],
  ["an MBR with swap", [partition(1, "0x82"), partition(2, "0x83")], 2, /booting or swapping/],
  ["no hint", [partition(1, LINUX), partition(2, LINUX)], 1, /^the default, as 2 partitions/],
];
for (const [name, partitions, number, reason] of cases) {
  test(`chooseRootPartition() with ${name} takes partition ${number}`, () => {
    const choice = chooseRootPartition(partitions);
    assert.equal(choice.number, number);
    assert.match(choice.reason, reason);
  });
}
