import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { REQUIRED_TOOLS } from "../../build/check-host.ts";
import { type Check, type CheckGroup, canBake } from "./check.ts";
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
  const looked = new Set((await checkTools()).filter(({ group }) => group === "host").map(({ name }) => name));
  assert.deepEqual(
    REQUIRED_TOOLS.filter((tool) => !looked.has(tool)),
    [],
  );
});

test("a host can bake if it has what every build needs, and one place to bake on", () => {
  assert.equal(canBake([check("host", "ok"), check("ec2", "missing"), check("local", "ok")]), true);
  assert.equal(canBake([check("host", "ok"), check("ec2", "ok"), check("local", "missing")]), true);
  assert.equal(canBake([check("host", "ok"), check("ec2", "missing"), check("local", "missing")]), false);
  assert.equal(canBake([check("host", "missing"), check("ec2", "ok"), check("local", "ok")]), false);
  assert.equal(canBake([check("ec2", "ok"), check("permissions", "missing"), check("local", "missing")]), false);
  assert.equal(canBake([check("host", "ok"), check("ec2", "ok"), check("optional", "missing")]), true);
});

test("the install command names each package once, for the distribution at hand", () => {
  const missing = [
    check("host", "missing", { apt: "mount", dnf: "util-linux" }),
    check("host", "missing", { apt: "util-linux", dnf: "util-linux" }),
    check("local", "missing", { apt: "qemu-utils", dnf: undefined }),
    check("ec2", "missing"),
  ];
  const apt = "sudo apt-get install --yes mount util-linux qemu-utils";
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
  const old = await statusOf({ platform: "darwin", nodeVersion: "v20.18.3", isRoot: false });
  assert.deepEqual(old, {
    Linux: "missing",
    Node: "missing",
    root: "missing",
    "mount namespaces": "missing",
    "loop devices": "missing",
  });
  for (const nodeVersion of ["v20.19.0", "v22.1.0", "v24.21.0"]) {
    assert.equal((await statusOf({ platform: "linux", nodeVersion, isRoot: false }))["Node"], "ok");
  }
});
