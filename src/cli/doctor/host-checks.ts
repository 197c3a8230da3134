import { access, open } from "node:fs/promises";
import { type InstanceIdentity, readInstanceIdentity } from "../../aws/imds.ts";
import { messageOf, ToolError } from "../../base/errors.ts";
import { NEVER } from "../../base/never.ts";
import { PLAIN_CHROOT_HINT } from "../../build/check-host.ts";
import { runCommand, runToExit } from "../../linux/run-command.ts";
import { isInPlainChroot } from "../../linux/sandbox/plain-chroot.ts";
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
    await checkRootDirectory(isRoot),
    await checkLoopDevices(isRoot),
    await checkFuse(isRoot),
    await checkFuseExport(),
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
      const flags = ["--mount", "--propagation", "slave", "--pid", "--ipc", "--uts", "--fork", "--kill-child"];
      await runCommand(["unshare", ...flags, "true"]);
      return undefined;
    },
    "In a container, run it with --privileged, or with CAP_SYS_ADMIN",
  );
}

function checkRootDirectory(isRoot: boolean): Promise<Check> {
  const check = { name: "own root directory", group: "host", why: "is kept where an image's mounts are seen" } as const;
  return probe(
    check,
    isRoot,
    async () => {
      if (await isInPlainChroot()) throw new Error("this is a chroot, which entering a mount namespace leaves");
      return undefined;
    },
    PLAIN_CHROOT_HINT,
  );
}

function checkLoopDevices(isRoot: boolean): Promise<Check> {
  const check = {
    name: "loop devices",
    group: "local",
    why: "make a block device of a disk file",
    ways: ["local", "amazon-direct"],
  } as const;
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

function checkFuse(isRoot: boolean): Promise<Check> {
  const check = { name: "/dev/fuse", group: "direct", why: "shows the disk of a build as a file" } as const;
  return probe(
    check,
    isRoot,
    async () => {
      // A container may have the node, and not the right to use it.
      await (await open("/dev/fuse", "r+")).close();
      return undefined;
    },
    "Load the module: modprobe fuse; in a container, run it with --device /dev/fuse",
  );
}

/** Not every distribution builds it in. Where there is no daemon at all, its own check tells. */
async function checkFuseExport(): Promise<Check> {
  const { stdout } = await runToExit(["qemu-storage-daemon", "--help"]).catch(() => ({ stdout: undefined }));
  const hasExport = stdout === undefined || /^\s*--export \[type=\]fuse\b/m.test(stdout.toString());
  return {
    name: "FUSE export",
    group: "direct",
    status: hasExport ? "ok" : "missing",
    why: "is how qemu-storage-daemon does that",
    detail: stdout === undefined ? "there is no qemu-storage-daemon to ask" : undefined,
    fix: "Install a QEMU that was built with FUSE",
  };
}

async function probe(
  check: Pick<Check, "name" | "group" | "why" | "ways">,
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
    const instance = await readInstanceIdentity(environment, { signal: NEVER });
    const detail = `${instance.instanceId} in ${instance.availabilityZone}`;
    return { check: { ...check, status: "ok", detail }, instance };
  } catch (error) {
    const fix = error instanceof ToolError ? error.hint : undefined;
    return { check: { ...check, status: "missing", detail: messageOf(error), fix } };
  }
}
