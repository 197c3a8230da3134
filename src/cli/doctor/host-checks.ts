import { access } from "node:fs/promises";
import { type InstanceIdentity, readInstanceIdentity } from "../../aws/imds.ts";
import { messageOf, ToolError } from "../../base/errors.ts";
import { runCommand } from "../../linux/run-command.ts";
import type { Check } from "./check.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const NODE_VERSION_MIN = [20, 19] as const;

/** What a host is, as far as a build depends on it. */
export async function checkHostItself(host: {
  platform: string;
  nodeVersion: string;
  isRoot: boolean;
}): Promise<Check[]> {
  const { platform, nodeVersion, isRoot } = host;
  const isLinux = platform === "linux";
  return [
    {
      name: "Linux",
      group: "host",
      status: isLinux ? "ok" : "missing",
      why: "chroots, mounts and block devices are its own",
      detail: isLinux ? undefined : `this is ${platform}`,
      fix: "Run amibake on a Linux host",
    },
    {
      name: "Node",
      group: "host",
      status: isNewEnough(nodeVersion) ? "ok" : "missing",
      why: "runs amibake",
      detail: nodeVersion,
      fix: `Install Node ${NODE_VERSION_MIN.join(".")} or newer`,
    },
    {
      name: "root",
      group: "host",
      status: isRoot ? "ok" : "missing",
      why: "mounting and chroot need it",
      fix: "Run it with sudo: sudo -E amibake build TEMPLATE",
    },
    await checkNamespaces(isRoot),
    await checkLoopDevices(isRoot),
  ];
}

function isNewEnough(nodeVersion: string): boolean {
  const [major = 0, minor = 0] = nodeVersion.replace(/^v/, "").split(".").map(Number);
  const [majorMin, minorMin] = NODE_VERSION_MIN;
  return major > majorMin || (major === majorMin && minor >= minorMin);
}

function checkNamespaces(isRoot: boolean): Promise<Check> {
  const check = { name: "mount namespaces", group: "host", why: "the kernel removes a dead build's mounts" } as const;
  return probe(
    check,
    isRoot,
    async () => {
      // As a build's sandbox is opened.
      const flags = ["--mount", "--propagation", "slave", "--pid", "--ipc", "--fork", "--kill-child"];
      await runCommand(["unshare", ...flags, "true"]);
      return undefined;
    },
    "In a container, run it with --privileged, or with CAP_SYS_ADMIN",
  );
}

function checkLoopDevices(isRoot: boolean): Promise<Check> {
  const check = { name: "loop devices", group: "local", why: "make a block device of a disk file" } as const;
  return probe(
    check,
    isRoot,
    async () => {
      await access("/dev/loop-control");
      const { stdout } = await runCommand(["losetup", "--find"]);
      return `the next free one is ${stdout.toString().trim()}`;
    },
    "Load the module: modprobe loop; in a container, run it with --privileged",
  );
}

async function probe(
  check: Pick<Check, "name" | "group" | "why">,
  isRoot: boolean,
  look: () => Promise<string | undefined>,
  fix: string,
): Promise<Check> {
  if (!isRoot)
    return { ...check, status: "missing", detail: "only root can tell", fix: "Run amibake doctor with sudo" };
  try {
    return { ...check, status: "ok", detail: await look() };
  } catch (error) {
    return { ...check, status: "missing", detail: messageOf(error), fix };
  }
}

export interface MetadataFinding {
  readonly check: Check;
  /** Missing if this is no EC2 instance, or its metadata is out of reach. */
  readonly instance?: InstanceIdentity;
}

/** Whether this is an EC2 instance that may be asked about itself, or why not. */
export async function checkInstanceMetadata(environment: Environment): Promise<MetadataFinding> {
  const check = {
    name: "instance metadata",
    group: "ec2",
    why: "tells which instance the volumes are attached to",
  } as const;
  try {
    const instance = await readInstanceIdentity(environment, new AbortController().signal);
    const detail = `${instance.instanceId} in ${instance.availabilityZone}`;
    return { check: { ...check, status: "ok", detail }, instance };
  } catch (error) {
    const fix = error instanceof ToolError ? error.hint : undefined;
    return { check: { ...check, status: "missing", detail: messageOf(error), fix } };
  }
}
