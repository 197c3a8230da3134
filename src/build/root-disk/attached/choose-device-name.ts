import { lstat } from "node:fs/promises";
import { ToolError } from "../../../base/errors.ts";
import type { DeviceName } from "../../../base/ids.ts";

const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** Device names in the order they are tried: what AWS recommends for volumes, then what else it accepts. */
export function candidateDeviceNames(): DeviceName[] {
  const between = (first: string, last: string) => [...LETTERS].filter((letter) => letter >= first && letter <= last);
  const names = [
    ...between("f", "p").map((letter) => `/dev/sd${letter}`),
    ...between("q", "z").map((letter) => `/dev/sd${letter}`),
    ...between("b", "d").flatMap((first) => between("a", "x").map((second) => `/dev/xvd${first}${second}`)),
  ];
  return names as DeviceName[];
}

/**
 * Chooses a device name that is free both for EC2 and on this host: a name whose
 * node has gone may still be detaching, and a node may be somebody else's.
 *
 * Call it under the lock that Packer takes too.
 *
 * @param namesInUse EC2's labels of the instance's attachments.
 * @throws {ToolError} if none is free.
 */
export async function chooseDeviceName(namesInUse: readonly string[]): Promise<DeviceName> {
  const taken = new Set(namesInUse.map(letterOf));
  for (const name of candidateDeviceNames()) {
    if (!taken.has(letterOf(name)) && !(await hasNode(name))) return name;
  }
  throw new ToolError("ERR_NO_DEVICE", "Cannot find a free device name: every name that EC2 accepts is in use", {
    hint: "Wait for other builds to end, or detach volumes that are not needed: aws ec2 describe-volumes --filters Name=attachment.instance-id,Values=INSTANCE",
  });
}

/**
 * EC2's label for a path that the template fixes.
 *
 * @throws {ToolError} if something is there already.
 */
export async function deviceNameFor(devicePath: string): Promise<DeviceName> {
  // EC2 takes sdf and xvdf for one, and names of two letters as xvdba only.
  const name = devicePath.replace(/^\/dev\/xvd([a-z]\d*)$/, "/dev/sd$1") as DeviceName;
  if (await hasNode(name)) {
    throw new ToolError(
      "ERR_DEVICE_IN_USE",
      `Cannot attach the volume as "${devicePath}": that device exists already`,
      {
        hint: "Leave device_path out of the template: a free one is then found",
      },
    );
  }
  return name;
}

/** "/dev/sdf", "/dev/xvdf" and "/dev/sdf1" are one place to EC2. */
function letterOf(name: string): string {
  return name
    .replace(/^\/dev\//, "")
    .replace(/^(sd|xvd|hd)/, "")
    .replace(/\d+$/, "");
}

async function hasNode(name: string): Promise<boolean> {
  const letter = letterOf(name);
  for (const path of [`/dev/sd${letter}`, `/dev/xvd${letter}`, `/dev/sd${letter}1`, `/dev/xvd${letter}1`]) {
    const exists = await lstat(path).then(
      () => true,
      () => false,
    );
    if (exists) return true;
  }
  return false;
}
