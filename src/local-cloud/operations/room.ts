// A store whose disk is full: what it has can be read, detached and deleted, and what asks for more is refused clearly.
import { systemCode } from "../../base/errors.ts";
import { formatBytes, MIB } from "../../base/units.ts";
import { ApiError } from "../protocol/api-error.ts";
import type { Service } from "../protocol/authenticate.ts";
import type { Call } from "./call.ts";
import type { Cloud } from "./cloud.ts";

/** With less, nothing new is begun: the state and the attached volumes need some. */
const ROOM_BYTES_MIN = MIB;

/**
 * Refuses what would not fit, before anything of it is made. Never a call that has been answered already and comes
 * again: whoever lost the answer would think that nothing was made.
 *
 * @param neededBytes what the call is about to write.
 * @throws {ApiError}
 */
export async function refuseWithoutRoom(
  { action, cloud }: Pick<Call, "action" | "cloud">,
  neededBytes = 0,
): Promise<void> {
  const freeBytes = await cloud.storage.freeBytes();
  if (freeBytes >= neededBytes + ROOM_BYTES_MIN) return;
  throw noRoom("ec2", action, `needs ${formatBytes(neededBytes + ROOM_BYTES_MIN)} and has ${formatBytes(freeBytes)}`);
}

/** @returns undefined for another failure than a full disk. */
export function noRoomError(service: Service, action: string, error: unknown): ApiError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = systemCode(cause);
    if (code === "ENOSPC" || code === "EDQUOT") return noRoom(service, action, `answers ${code}`);
  }
  return undefined;
}

/** No code of EC2's says it: these say that there is a limit, and clients do not try again at once. */
const CODES: Readonly<Record<string, string>> = {
  CreateVolume: "VolumeLimitExceeded",
  CreateSnapshot: "SnapshotLimitExceeded",
  CopySnapshot: "SnapshotLimitExceeded",
};

function noRoom(service: Service, action: string, detail: string): ApiError {
  const message = `The disk of the local cloud's store is full: it ${detail}. Make room there, or delete volumes and snapshots.`;
  if (service === "ebs") {
    return new ApiError("ServiceQuotaExceededException", message, 402, "DEPENDENCY_SERVICE_QUOTA_EXCEEDED");
  }
  return new ApiError(CODES[action] ?? "ResourceLimitExceeded", message);
}

/**
 * Makes what a read is about to show durable. Where the disk takes nothing it is shown all the same: who made the
 * change has been told that it failed, and a crash would make that true.
 */
export async function commitToRead({ state, report }: Pick<Cloud, "state" | "report">): Promise<void> {
  try {
    await state.commit();
  } catch (error) {
    report("Cannot write the state", error);
  }
}
