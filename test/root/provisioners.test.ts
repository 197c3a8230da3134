// Provisioners through the communicator that builds use, in a real chroot.
import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { type TestContext, test } from "node:test";
import { systemClock } from "../../src/base/clock.ts";
import type { ToolError } from "../../src/base/errors.ts";
import { chrootCommunicator } from "../../src/linux/sandbox/chroot-communicator.ts";
import { openSandbox } from "../../src/linux/sandbox/sandbox.ts";
import type { ProvisionEvent } from "../../src/provision/provision-events.ts";
import { runProvisioners } from "../../src/provision/run-provisioners.ts";
import { readTemplate } from "../../src/template/read-template.ts";
import { makeRootTree } from "../helpers/root-tree.ts";

const never = new AbortController().signal;

/** Runs the provisioners of a template in a fresh root tree. */
async function provision(context: TestContext, provisioners: readonly unknown[]) {
  const directory = await mkdtemp(path.join(tmpdir(), "amibake-chroot-"));
  context.after(() => rm(directory, { recursive: true, force: true }));
  const root = path.join(directory, "root");
  await makeRootTree(root, "test");
  const builder = { type: "amazon-chroot", ami_name: "web", source_ami: "ami-1", name: "web" };
  const plan = await readTemplate("-", {
    variables: [],
    varFiles: [],
    only: [],
    except: [],
    environment: {},
    startTime: new Date(),
    stdin: () => Readable.from([Buffer.from(JSON.stringify({ builders: [builder], provisioners }))]),
  });
  const events: ProvisionEvent[] = [];
  await using sandbox = await openSandbox({ keepVisible: [directory, process.cwd()], signal: never });
  await runProvisioners(plan.builds[0]?.provisioners ?? [], {
    communicator: chrootCommunicator({
      sandbox,
      mountpoint: root,
      environment: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/root" },
      wrap: (argv) => [...argv],
      onProcessesEnded: () => {},
    }),
    variables: { SourceAMI: "ami-1" },
    buildName: "web",
    buildType: "amazon-chroot",
    signal: never,
    clock: systemClock,
    emit: (event) => events.push(event),
    runStep: (_title, work) => work(),
  });
  return { root, events };
}

test("a shell provisioner's environment and commands reach the image exactly, and the host's shell never sees them", async (context) => {
  const value = "$HOME `id` $(id) 'single' \"double\" back\\slash\nsecond line\ttab";
  const { root } = await provision(context, [
    {
      type: "shell",
      inline: [
        'printf %s "$VALUE" > /value',
        "echo one\necho {{build `SourceAMI`}} > /source",
        'echo "$HOME" > /home-is',
      ],
      env: { VALUE: value },
      use_env_var_file: true,
    },
    { type: "shell", inline: ['printf %s "$VALUE" > /value2'], environment_vars: [`VALUE=${value}`] },
  ]);
  assert.equal(await readFile(path.join(root, "value"), "utf8"), value);
  assert.equal(await readFile(path.join(root, "value2"), "utf8"), value);
  assert.equal(await readFile(path.join(root, "source"), "utf8"), "ami-1\n");
  assert.equal(await readFile(path.join(root, "home-is"), "utf8"), "/root\n");
  assert.deepEqual(await readdir(path.join(root, "tmp")), []);
});

test("a file provisioner moves files and directories both ways and keeps their modes", async (context) => {
  const host = await mkdtemp(path.join(tmpdir(), "amibake-host-"));
  context.after(() => rm(host, { recursive: true, force: true }));
  await mkdir(path.join(host, "app/bin"), { recursive: true });
  await writeFile(path.join(host, "app/bin/run"), "#!/bin/sh\necho ran\n");
  await chmod(path.join(host, "app/bin/run"), 0o750);
  const { root, events } = await provision(context, [
    { type: "file", source: path.join(host, "app"), destination: "/opt" },
    { type: "file", source: `${host}/app/`, destination: "/opt/plain" },
    { type: "file", content: "Hello\n", destination: "/etc/motd" },
    { type: "shell", inline: ["/opt/app/bin/run"] },
    { type: "file", direction: "download", source: "/opt/app", destination: `${host}/back/` },
    { type: "file", direction: "download", source: "/etc/motd", destination: `${host}/new/motd.txt` },
  ]);
  assert.equal((await stat(path.join(root, "opt/app/bin/run"))).mode & 0o777, 0o750);
  assert.deepEqual(await readdir(path.join(root, "opt/plain")), ["bin"]);
  assert.equal((await stat(path.join(root, "etc/motd"))).mode & 0o777, 0o644);
  assert.equal((await stat(path.join(host, "back/app/bin/run"))).mode & 0o777, 0o750);
  assert.equal(await readFile(path.join(host, "new/motd.txt"), "utf8"), "Hello\n");
  assert.ok(events.some((event) => event.type === "output" && event.line === "ran"));
});

// Node's own recursive mkdir never ends there.
test("a download to where no directory can be made fails at once", { timeout: 30_000 }, async (context) => {
  const download = { type: "file", direction: "download", source: "/etc/hostname", destination: "/proc/nope/x" };
  await assert.rejects(provision(context, [download]), (error: Error) => {
    const { code, message, hint } = error.cause as ToolError;
    assert.equal(code, "ERR_FILE_DESTINATION");
    assert.match(message, /^Cannot make the directory "\/proc\/nope": ENOENT: /);
    assert.equal(hint, 'Correct "destination": it is a path of this host');
    return true;
  });
});
