import assert from "node:assert/strict";
import { test } from "node:test";
import { parseExt4FreeSpace, parseXfsFreeSpace } from "./free-extents.ts";

const EXT4 = `Filesystem volume name:   <none>
Filesystem features:      has_journal ext_attr extent 64bit
Filesystem state:         clean
Block size:               4096

Group 0: (Blocks 0-32767) csum 0x934b [ITABLE_ZEROED]
  Primary superblock at 0, Group descriptors at 1-1
  Free blocks: 2-3, 7, 100-32767
  Free inodes: 12-2024
Group 1: (Blocks 32768-65535)
  0 free blocks, 2024 free inodes, 0 directories
  Free blocks: 
  Free inodes: 2025-4048
`;

test("The free blocks of ext4 are read group by group", () => {
  assert.deepEqual(parseExt4FreeSpace(EXT4), [
    { startBytes: 8192, endBytes: 16_384 },
    { startBytes: 28_672, endBytes: 32_768 },
    { startBytes: 409_600, endBytes: 134_217_728 },
  ]);
});

test("The journal of ext4 counts as free behind its first block, if it is empty", () => {
  const empty = EXT4.replace("Block size:", "Journal start:            0\nBlock size:");
  const stat = "Inode: 8   Type: regular\nEXTENTS:\n(ETB0):50, (0-3):60-63, (4):80\n";
  const added = parseExt4FreeSpace(empty, stat).filter(
    (extent) => extent.startBytes > 40_000 && extent.endBytes < 409_600,
  );
  assert.deepEqual(added, [
    { startBytes: 61 * 4096, endBytes: 64 * 4096 },
    { startBytes: 80 * 4096, endBytes: 81 * 4096 },
  ]);
  assert.deepEqual(
    parseExt4FreeSpace(empty.replace("start:            0", "start:            7"), stat),
    parseExt4FreeSpace(EXT4),
  );
});

for (const [what, change] of [
  ["that is not clean", EXT4.replace("state:         clean", "state:         not clean")],
  ["that needs recovery", EXT4.replace("64bit", "64bit needs_recovery")],
  ["that counts in clusters", EXT4.replace("64bit", "64bit bigalloc")],
  ["that could not be read", ""],
] as const) {
  test(`Nothing is said of an ext4 ${what}`, () => {
    assert.deepEqual(parseExt4FreeSpace(change), []);
  });
}

test("The free blocks of XFS are read from its groups, without the histogram", () => {
  const text = `blocksize = 4096
agblocks = 25600
    agno    agbno      len
       1        6        1
       0       24    25576
   from      to extents  blocks    pct
      1       1      16      16   0.02
`;
  assert.deepEqual(parseXfsFreeSpace(text), [
    { startBytes: 98_304, endBytes: 104_857_600 },
    { startBytes: 104_882_176, endBytes: 104_886_272 },
  ]);
  assert.deepEqual(parseXfsFreeSpace("xfs_db: cannot init perag data"), []);
});
