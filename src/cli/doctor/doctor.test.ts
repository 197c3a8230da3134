import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { DIRECT_TOOLS, REQUIRED_TOOLS } from "../../build/check-host.ts";
import { type Check, type CheckGroup, waysToBake } from "./check.ts";
import { installCommands, readDistribution } from "./distribution.ts";
import { checkHostItself } from "./host-checks.ts";
import { checkTools } from "./tools.ts";

const check = (group: CheckGroup, status: Check["status"], packages?: Check["packages"]): Check => ({
  name: "x",
  group,
  status,
  why: "y",
  packages,
});

test("doctor looks for every tool that a build requires", async () => {
  const tools = await checkTools();
  const namesOf = (isWanted: (tool: Check) => boolean) => new Set(tools.filter(isWanted).map(({ name }) => name));
  const ofHost = namesOf(({ group }) => group === "host");
  assert.deepEqual(
    REQUIRED_TOOLS.filter((tool) => !ofHost.has(tool)),
    [],
  );
  const ofDirect = namesOf(({ group, ways }) => group === "direct" || ways?.includes("amazon-direct") === true);
  assert.deepEqual(
    DIRECT_TOOLS.filter((tool) => !ofDirect.has(tool)),
    [],
  );
});

test("a host can bake in the ways that lack nothing, of every build's or of their own", () => {
  const missing = (group: CheckGroup, rest: Partial<Check> = {}): Check => ({ ...check(group, "missing"), ...rest });
  const all = ["amazon-chroot", "amazon-direct", "local"];
  assert.deepEqual(waysToBake([check("host", "ok"), check("ec2", "ok"), check("local", "ok")]), all);
  assert.deepEqual(waysToBake([missing("host")]), []);
  assert.deepEqual(waysToBake([missing("optional")]), all);
  assert.deepEqual(waysToBake([missing("ec2")]), ["amazon-direct", "local"]);
  assert.deepEqual(waysToBake([missing("direct")]), ["amazon-chroot", "local"]);
  assert.deepEqual(waysToBake([missing("local")]), ["amazon-chroot", "amazon-direct"]);
  assert.deepEqual(waysToBake([missing("local", { ways: ["local", "amazon-direct"] })]), ["amazon-chroot"]);
  assert.deepEqual(waysToBake([missing("permissions")]), ["local"]);
  assert.deepEqual(waysToBake([missing("permissions", { ways: ["amazon-chroot"] })]), ["amazon-direct", "local"]);
  assert.deepEqual(waysToBake([missing("ec2"), missing("direct"), missing("local")]), []);
});

test("the install command names each package once, for the distribution at hand", () => {
  const missing = [
    check("host", "missing", { apt: "mount", dnf: "util-linux" }),
    check("host", "missing", { apt: "util-linux", dnf: "util-linux" }),
    check("local", "missing", { apt: "qemu-utils", dnf: undefined }),
    check("direct", "missing", { apt: ["qemu-utils", "qemu-system-common"], dnf: undefined }),
    check("ec2", "missing"),
  ];
  const apt = "sudo apt-get install --yes mount util-linux qemu-utils qemu-system-common";
  const dnf = "sudo dnf install --assumeyes util-linux";
  assert.deepEqual(installCommands(missing, "apt"), [apt]);
  assert.deepEqual(installCommands(missing, "dnf"), [dnf]);
  assert.deepEqual(installCommands(missing, undefined), [apt, dnf]);
  assert.deepEqual(installCommands([], "apt"), []);
});

test("the distribution is told by its id, or by what it is like", async () => {
  const directory = await mkdtemp(join(tmpdir(), "amibake-doctor-"));
  try {
    const path = join(directory, "os-release");
    const read = async (text: string) => {
      await writeFile(path, text);
      return readDistribution(path);
    };
    assert.deepEqual(await read('PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n'), {
      name: "Debian GNU/Linux 12 (bookworm)",
      packageManager: "apt",
    });
    assert.equal((await read('ID=linuxmint\nID_LIKE="ubuntu debian"\n')).packageManager, "apt");
    assert.equal((await read('ID="amzn"\nID_LIKE="fedora"\n')).packageManager, "dnf");
    assert.deepEqual(await read("ID=arch\n"), { name: "an unknown distribution", packageManager: undefined });
    assert.equal((await readDistribution(join(directory, "missing"))).packageManager, undefined);
  } finally {
    await rm(directory, { recursive: true });
  }
});

test("an old Node, another system and an ordinary user are told", async () => {
  const statusOf = async (host: { platform: string; nodeVersion: string; isRoot: boolean }) =>
    Object.fromEntries((await checkHostItself(host)).map(({ name, status }) => [name, status]));
  const {
    // Whatever is installed here.
    "FUSE export": _fuseExport,
    ...old
  } = await statusOf({ platform: "darwin", nodeVersion: "v20.18.3", isRoot: false });
  assert.deepEqual(old, {
    Linux: "missing",
    Node: "missing",
    root: "missing",
    "mount namespaces": "missing",
    "own root directory": "missing",
    "loop devices": "missing",
    "/dev/fuse": "missing",
  });
  for (const nodeVersion of ["v20.19.0", "v22.1.0", "v24.21.0"]) {
    assert.equal((await statusOf({ platform: "linux", nodeVersion, isRoot: false }))["Node"], "ok");
  }
});
