import assert from "node:assert/strict";
import { test } from "node:test";
import { MIB } from "../../base/units.ts";
import { ApiError } from "../protocol/api-error.ts";
import type { Call } from "./call.ts";
import { commitToRead, noRoomError, refuseWithoutRoom } from "./room.ts";

const callWithRoom = (action: string, freeBytes: number) =>
  ({ action, cloud: { storage: { freeBytes: async () => freeBytes } } }) as unknown as Call;

test("refuseWithoutRoom() lets through what fits, and says what is missing", async () => {
  await refuseWithoutRoom(callWithRoom("CreateSnapshot", MIB));
  await refuseWithoutRoom(callWithRoom("CreateVolume", 11 * MIB), 10 * MIB);
  await assert.rejects(refuseWithoutRoom(callWithRoom("CreateVolume", 10.5 * MIB), 10 * MIB), {
    code: "VolumeLimitExceeded",
    message: /it needs 11 MiB and has 10\.5 MiB\. Make room/,
  });
});

test("noRoomError() finds a full disk behind any error, and takes nothing else for one", () => {
  const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  const found = noRoomError("ec2", "CopySnapshot", new Error("Cannot store a block", { cause: full }));
  assert.ok(found instanceof ApiError);
  assert.equal(found.code, "SnapshotLimitExceeded");
  assert.equal(noRoomError("ec2", "CopySnapshot", new Error("ENOSPC")), undefined);
});

test("commitToRead() lets a read be answered when the disk takes nothing, and reports it", async () => {
  const reported: unknown[] = [];
  const failure = new Error("ENOSPC");
  const state = { commit: () => Promise.reject(failure) };
  await commitToRead({ state: state as never, report: (_what, error) => reported.push(error) });
  assert.deepEqual(reported, [failure]);
});
