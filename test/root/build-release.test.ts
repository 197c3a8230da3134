// Whatever fails, and whenever a build is interrupted: nothing is left.
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { AwsError } from "../../src/aws/aws-error.ts";
import type { Ec2Calls } from "../../src/aws/ec2-api.ts";
import type { BuildHost } from "../../src/build/build-host.ts";
import { createBuildHost } from "../../src/build/build-host.ts";
import { writeTemplate } from "../helpers/build-template.ts";
import { makeGate } from "../helpers/gate.ts";
import { readHostMounts } from "../helpers/host-state.ts";
import { type BuildHereOptions, runBuildHere } from "../helpers/run-build.ts";
import { startTestCloud, type TestCloud } from "../helpers/test-cloud.ts";

let cloud: TestCloud;
let template: string;
before(async () => {
  cloud = await startTestCloud();
  template = await writeTemplate(cloud, { ami_name: "image {{uuid}}", ami_users: ["123456789012"] }, [
    { type: "shell", inline: ["(sleep 600 &)", "echo provisioning", "sleep 0.2"] },
  ]);
});
after(() => cloud[Symbol.asyncDispose]());

const build = (options: BuildHereOptions = {}) => runBuildHere(cloud, template, options);

/** A host whose nth EC2 call fails, before it is sent or, as a lost answer, after. */
function failingHost(nth: number, when: "before" | "after"): { host: BuildHost; calls: string[] } {
  const real = createBuildHost({ environment: cloud.environment });
  const calls: string[] = [];
  const host: BuildHost = {
    ...real,
    async connect(config, options) {
      const connection = await real.connect(config, options);
      const failing = <T extends Ec2Calls>(api: T): T =>
        new Proxy(api, {
          get(target, name) {
            const member = target[name as keyof T] as unknown;
            if (name === "releasing") return failing(member as Ec2Calls);
            if (typeof member !== "function") return member;
            return async (...args: unknown[]) => {
              const isFailing = calls.push(String(name)) === nth;
              if (isFailing && when === "before") throw new AwsError(String(name), "UnauthorizedOperation", "injected");
              const result = await member.apply(target, args);
              if (isFailing) throw new AwsError(String(name), "InternalError", "injected");
              return result;
            };
          },
        });
      const ec2 = failing(connection.ec2);
      return { ...connection, ec2, [Symbol.dispose]: () => connection[Symbol.dispose]() };
    },
  };
  return { host, calls };
}

/** Releases: when they fail, what they would have removed is reported. */
const RELEASES = new Set(["deleteVolume", "detachVolume"]);

test("a failing EC2 call, whichever it is, ends the build with its error and leaves nothing", async () => {
  const { host, calls } = failingHost(0, "before");
  const complete = await build({ host });
  assert.ok("artifact" in (complete.results[0] ?? {}), "the build without a failure");
  const earlier = await cloud.resources();
  const mounts = await readHostMounts();
  for (let nth = 1; nth <= calls.length; nth++) {
    const name = calls[nth - 1] ?? "";
    if (RELEASES.has(name)) continue;
    const { results, leftovers } = await build({ host: failingHost(nth, "before").host });
    const [result] = results;
    assert.ok(result !== undefined && "error" in result, `call ${nth}, ${name}, did not fail the build`);
    assert.match(String(result.error), /injected/, `call ${nth}, ${name}`);
    assert.deepEqual(leftovers, [], `call ${nth}, ${name}`);
    assert.deepEqual(await cloud.resources(), earlier, `call ${nth}, ${name}`);
  }
  assert.equal(await readHostMounts(), mounts);
});

test("a lost answer, whichever it is, ends in one image or in an error, and leaves nothing", async () => {
  const { host, calls } = failingHost(0, "after");
  await build({ host });
  const creating = new Set(["createVolume", "attachVolume", "createSnapshot", "registerImage"]);
  for (let nth = 1; nth <= calls.length; nth++) {
    const name = calls[nth - 1] ?? "";
    if (RELEASES.has(name)) continue;
    const earlier = new Set(await cloud.resources());
    const [result] = (await build({ host: failingHost(nth, "after").host })).results;
    const added = (await cloud.resources()).filter((id) => !earlier.has(id));
    assert.equal(result !== undefined && "artifact" in result, creating.has(name), `call ${nth}, ${name}`);
    assert.equal(added.length, creating.has(name) ? 2 : 0, `call ${nth}, ${name}: ${added.join(" ")}`);
  }
  assert.deepEqual(await readdir(join(cloud.scratch, "state/builds")), [], "journals");
});

test("a volume that cannot be deleted is a leftover that the command it names removes, and the image is kept", async () => {
  const { host, calls } = failingHost(0, "before");
  await build({ host });
  const earlier = new Set(await cloud.resources());
  const { results, leftovers } = await build({ host: failingHost(calls.indexOf("deleteVolume") + 1, "before").host });
  assert.ok("artifact" in (results[0] ?? {}));
  const [volume] = (await cloud.resources()).filter((id) => id.startsWith("vol-") && !earlier.has(id));
  assert.equal(leftovers.length, 1);
  assert.equal(leftovers[0]?.id, volume);
  const { AMIBAKE_STATE_DIR } = cloud.environment;
  assert.equal(leftovers[0]?.removeWith, `env AMIBAKE_STATE_DIR=${AMIBAKE_STATE_DIR} amibake clean`);
  const cleaned = await cloud.amibake(["clean"]);
  assert.match(cleaned.stdout, new RegExp(`removed volume ${volume}\n`), cleaned.stderr);
  assert.deepEqual(
    (await cloud.resources()).filter((id) => !earlier.has(id)).map((id) => id.split("-")[0]),
    ["snap", "ami"],
  );
});

test("cancelling at any event of a build leaves nothing", async () => {
  let count = 0;
  await build({ onEvent: () => void count++ });
  const earlier = await cloud.resources();
  const mounts = await readHostMounts();
  for (let nth = 1; nth < count; nth++) {
    const controller = new AbortController();
    let seen = 0;
    let at = "";
    const { results, leftovers } = await build({
      signal: controller.signal,
      onEvent: (event) => {
        if (++seen !== nth) return;
        at = JSON.stringify(event);
        controller.abort(new Error("Received SIGINT"));
      },
    });
    // After the last step there is nothing to cancel any more.
    if ("artifact" in (results[0] ?? {})) {
      assert.ok(nth > count - 6, `ignored at event ${nth} of ${count}: ${at}`);
      continue;
    }
    assert.deepEqual(leftovers, [], at);
    assert.deepEqual(await cloud.resources(), earlier, at);
  }
  assert.equal(await readHostMounts(), mounts);
});

for (const creating of ["createVolume", "attachVolume", "createSnapshot", "registerImage"] as const) {
  test(`cancelling while ${creating} is under way leaves nothing`, async () => {
    const earlier = await cloud.resources();
    const controller = new AbortController();
    const real = createBuildHost({ environment: cloud.environment });
    const host: BuildHost = {
      ...real,
      async connect(config, options) {
        const connection = await real.connect(config, options);
        const ec2 = new Proxy(connection.ec2, {
          get(target, name) {
            const member = target[name as keyof typeof target] as unknown;
            if (name !== creating || typeof member !== "function") return member;
            return (...args: unknown[]) => {
              const answer = member.apply(target, args);
              // The request is on its way then.
              setTimeout(() => controller.abort(new Error("Received SIGINT")), 1);
              return answer;
            };
          },
        });
        return { ...connection, ec2, [Symbol.dispose]: () => connection[Symbol.dispose]() };
      },
    };
    const { results, leftovers } = await build({ host, signal: controller.signal });
    assert.ok("error" in (results[0] ?? {}));
    assert.deepEqual(leftovers, []);
    assert.deepEqual(await cloud.resources(), earlier);
  });
}

test("a build whose mountpoint another build uses is refused, and disturbs nobody", async () => {
  const earlier = new Set(await cloud.resources());
  const mount_path = `${cloud.scratch}/fixed`;
  const { chroot_mounts, wait, open } = await makeGate(cloud);
  const slow = await writeTemplate(cloud, { ami_name: "image {{uuid}}", mount_path, chroot_mounts }, [
    { type: "shell", inline: ["echo now", wait, "test -s /etc/resolv.conf"] },
  ]);
  const quick = await writeTemplate(cloud, { ami_name: "image {{uuid}}", mount_path });
  let second: ReturnType<typeof cloud.amibake> | undefined;
  const first = await cloud.amibake(["build", "-color=false", slow], {
    onStart: (child) =>
      void child.printed(": now").then(() => {
        second = cloud.amibake(["build", "-color=false", quick]);
        void second.finally(open);
      }),
  });
  const refused = await second;
  assert.equal(first.exitCode, 0, first.stdout + first.stderr);
  assert.equal(refused?.exitCode, 1);
  assert.match(`${refused?.stdout}${refused?.stderr}`, /Cannot mount on "[^"]+fixed": another build uses it/);
  const made = (await cloud.resources()).filter((id) => !earlier.has(id));
  assert.deepEqual(made.map((id) => id.replace(/-.*/, "")).sort(), ["ami", "snap"]);
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  test(`${signal} during provisioning ends the script and releases everything`, async () => {
    const earlier = await cloud.resources();
    const slow = await writeTemplate(cloud, { ami_name: "image {{uuid}}" }, [
      { type: "shell", inline: ["echo now", "sleep 600"] },
    ]);
    const start = performance.now();
    const result = await cloud.amibake(["build", "-color=false", slow], {
      onStart: (child) => void child.printed(": now").then(() => child.kill(signal)),
    });
    assert.equal(result.exitCode, 130, result.stdout + result.stderr);
    assert.match(result.stdout + result.stderr, new RegExp(`Received ${signal}`));
    assert.ok(performance.now() - start < 30_000);
    assert.deepEqual(await cloud.resources(), earlier);
  });
}
