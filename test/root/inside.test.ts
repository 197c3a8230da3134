// What commands inside the image meet: their environment, services that must not start.
import assert from "node:assert/strict";
import { access, readFile } from "node:fs/promises";
import { test } from "node:test";
import { mountRoot } from "../../src/build/image-root/mount-root.ts";
import { refuseServices } from "../../src/build/image-root/refuse-services.ts";
import { writeTemplate } from "../helpers/build-template.ts";
import { communicatorOf } from "../helpers/image-commands.ts";
import { openImageFixture } from "../helpers/image-fixture.ts";
import { readImageFile } from "../helpers/read-image.ts";
import { startTestCloud } from "../helpers/test-cloud.ts";

test("commands in the image get a clean environment, without the host's keys unless they are asked for", async () => {
  await using cloud = await startTestCloud();
  const env = { http_proxy: "http://127.0.0.1:9", CI_SECRET: "of the host", TERM: "xterm-256color", EXTRA: "a 'b'" };
  const provisioners = [{ type: "shell", inline: ["env | sort >/env"], env: { OWN: "of the template" } }];
  const bakedEnvironment = async (builder: Readonly<Record<string, unknown>>) => {
    const template = await writeTemplate(cloud, builder, provisioners);
    const result = await cloud.amibake(["build", "-machine-readable", template], { env });
    assert.equal(result.exitCode, 0, result.stdout + result.stderr);
    const imageId = /artifact,0,id,[a-z0-9-]+:(ami-\w+)/.exec(result.stdout)?.[1] ?? "";
    const lines = (await readImageFile(cloud, imageId, "/env")).trim().split("\n");
    // What the shell itself sets, and amibake's own for Packer's scripts.
    return lines.filter((line) => !/^(_|PWD|OLDPWD|SHLVL|PACKER_\w+)=/.test(line));
  };
  const clean = [
    "HOME=/root",
    "LANG=C.UTF-8",
    "LC_ALL=C.UTF-8",
    "OWN=of the template",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "TERM=xterm-256color",
    "http_proxy=http://127.0.0.1:9",
  ];
  assert.deepEqual(await bakedEnvironment({}), clean);
  const passed = await bakedEnvironment({ pass_environment: ["EXTRA", "AWS_SECRET_ACCESS_KEY", "NOT_SET_ANYWHERE"] });
  const secret = `AWS_SECRET_ACCESS_KEY=${cloud.environment["AWS_SECRET_ACCESS_KEY"]}`;
  assert.deepEqual(passed, [secret, "EXTRA=a 'b'", ...clean].sort());
});

// Debian's own, if this is Debian: a POSIX shell script that asks policy-rc.d.
const INVOKE_RC_D = "/usr/sbin/invoke-rc.d";
const hasInvokeRcD = await access(INVOKE_RC_D).then(
  () => true,
  () => false,
);
const SERVICE = `#!/bin/sh
### BEGIN INIT INFO
# Provides: demo
# Default-Start: 2
### END INIT INFO
echo "$1" >>/service-log
`;

/** An image with Debian's invoke-rc.d and a service called "demo". */
async function openDebianFixture() {
  const fixture = await openImageFixture();
  const root = await mountRoot(fixture.context, fixture.sandbox, fixture.device);
  const { communicator, run } = communicatorOf(fixture, root.mountpoint);
  const upload = (content: string | Buffer, path: string) =>
    communicator.uploadBytes(Buffer.from(content), path, { mode: 0o755, signal: new AbortController().signal });
  await upload(await readFile(INVOKE_RC_D), INVOKE_RC_D);
  await upload(SERVICE, "/etc/init.d/demo");
  // The way a system with SysV init answers, which the script wants to know.
  await upload("#!/bin/sh\necho N 2\n", "/sbin/runlevel");
  await run("mkdir -p /etc/rc2.d && ln -s ../init.d/demo /etc/rc2.d/S01demo");
  return {
    ...fixture,
    root,
    run,
    upload,
    invoke: () => run("invoke-rc.d demo start; cat /service-log 2>/dev/null; rm -f /service-log"),
    async [Symbol.asyncDispose]() {
      await root[Symbol.asyncDispose]();
      await fixture[Symbol.asyncDispose]();
    },
  };
}

const isDebian = hasInvokeRcD ? {} : { skip: `this host has no ${INVOKE_RC_D} (Debian's init-system-helpers)` };

test("a service is not started while the image is provisioned, and the policy is gone after", isDebian, async () => {
  await using image = await openDebianFixture();
  assert.deepEqual((await image.invoke()).at(-1), "start");
  {
    await using _policy = await refuseServices(image.context, image.sandbox, image.root.mountpoint);
    const refused = await image.invoke();
    assert.match(refused.join("\n"), /policy-rc\.d denied execution of start/);
    assert.ok(!refused.includes("start"));
  }
  assert.deepEqual((await image.invoke()).at(-1), "start");
  assert.deepEqual(await image.run("ls -A /usr/sbin | grep -e policy -e saved || echo none"), ["none"]);
});

test("allow_services starts them", isDebian, async () => {
  await using image = await openDebianFixture();
  const context = { ...image.context, config: { ...image.context.config, allow_services: true } };
  await using _policy = await refuseServices(context, image.sandbox, image.root.mountpoint);
  assert.deepEqual((await image.invoke()).at(-1), "start");
});

test("a policy of the image's own is covered and put back; one that a provisioner writes stays", isDebian, async () => {
  await using image = await openDebianFixture();
  await image.upload("#!/bin/sh\nexit 0\n", "/usr/sbin/policy-rc.d");
  {
    await using _policy = await refuseServices(image.context, image.sandbox, image.root.mountpoint);
    assert.ok(!(await image.invoke()).includes("start"));
  }
  const policy = "cat /usr/sbin/policy-rc.d; stat -c %a /usr/sbin/policy-rc.d";
  assert.deepEqual(await image.run(policy), ["#!/bin/sh", "exit 0", "755"]);
  {
    await using _policy = await refuseServices(image.context, image.sandbox, image.root.mountpoint);
    await image.run("printf '#!/bin/sh\\nexit 104\\n' >/usr/sbin/policy-rc.d");
  }
  assert.deepEqual(await image.run(policy), ["#!/bin/sh", "exit 104", "755"]);
});

test("an image that is not Debian's gets no policy, and a link at its place leads nowhere", async () => {
  await using fixture = await openImageFixture();
  await using root = await mountRoot(fixture.context, fixture.sandbox, fixture.device);
  const { run } = communicatorOf(fixture, root.mountpoint);
  // busybox has one.
  await run("rm /usr/bin/dpkg");
  {
    await using _policy = await refuseServices(fixture.context, fixture.sandbox, root.mountpoint);
    assert.deepEqual(await run("ls /usr/sbin/policy-rc.d 2>/dev/null || echo none"), ["none"]);
  }
  const victim = `${fixture.scratch}/victim`;
  await run(`: >/usr/bin/dpkg; ln -s ${victim} /usr/sbin/policy-rc.d`);
  {
    await using _policy = await refuseServices(fixture.context, fixture.sandbox, root.mountpoint);
    assert.deepEqual(await run("test -L /usr/sbin/policy-rc.d || /usr/sbin/policy-rc.d || echo $?"), ["101"]);
  }
  assert.deepEqual(await run("readlink /usr/sbin/policy-rc.d"), [victim]);
  await assert.rejects(access(victim));
});
