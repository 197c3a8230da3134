// Whatever fails, and whenever a build is interrupted: nothing is left.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { AwsError } from "../../src/aws/aws-error.ts";
import type { Ec2Calls } from "../../src/aws/ec2-api.ts";
import type { NamedBuildEvent } from "../../src/build/build-events.ts";
import type { BuildHost } from "../../src/build/build-host.ts";
import { createBuildHost } from "../../src/build/build-host.ts";
import { type BuildSummary, runBuilds } from "../../src/build/run-builds.ts";
import { readTemplate } from "../../src/template/read-template.ts";
import { writeTemplate } from "../helpers/build-template.ts";
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

async function build(
  options: { host?: BuildHost; signal?: AbortSignal; onEvent?: (event: NamedBuildEvent) => void } = {},
): Promise<BuildSummary> {
  const plan = await readTemplate(template, {
    variables: [],
    varFiles: [],
    only: [],
    except: [],
    environment: {},
    startTime: new Date(),
  });
  return runBuilds(plan, options.host ?? createBuildHost({ environment: cloud.environment }), {
    parallelBuildsMax: 0,
    signal: options.signal ?? new AbortController().signal,
    onEvent: options.onEvent ?? (() => {}),
  });
}

/** A host whose nth EC2 call fails, before it is sent or, as a lost answer, after. */
function failingHost(nth: number, when: "before" | "after"): { host: BuildHost; calls: string[] } {
  const real = createBuildHost({ environment: cloud.environment });
  const calls: string[] = [];
  const host: BuildHost = {
    environment: real.environment,
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
              if (isFailing && when === "before") throw new AwsError(String(name), "InternalError", "injected");
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

const mountTable = () => readFile("/proc/self/mountinfo", "utf8");

/** Calls whose lost answer cannot be told from one that never arrived: only a journal could settle them. */
const UNSETTLED = new Set(["createVolume", "createSnapshot", "registerImage"]);
/** Releases: when they fail, what they would have removed is reported. */
const RELEASES = new Set(["deleteVolume", "detachVolume"]);

test("a failing EC2 call, whichever it is, ends the build with its error and leaves nothing", async () => {
  const { host, calls } = failingHost(0, "before");
  const complete = await build({ host });
  assert.ok("artifact" in (complete.results[0] ?? {}), "the build without a failure");
  const earlier = await cloud.resources();
  const mounts = await mountTable();
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
  assert.equal(await mountTable(), mounts);
});

test("a lost answer of a call that can be undone leaves nothing", async () => {
  const { host, calls } = failingHost(0, "after");
  await build({ host });
  const earlier = await cloud.resources();
  for (let nth = 1; nth <= calls.length; nth++) {
    const name = calls[nth - 1] ?? "";
    if (UNSETTLED.has(name) || RELEASES.has(name) || !/^(attach|share)/.test(name)) continue;
    await build({ host: failingHost(nth, "after").host });
    assert.deepEqual(await cloud.resources(), earlier, `call ${nth}, ${name}`);
  }
});

test("a volume that cannot be deleted is a leftover with the command that removes it, and the image is kept", async () => {
  const { host, calls } = failingHost(0, "before");
  await build({ host });
  const earlier = new Set(await cloud.resources());
  const { results, leftovers } = await build({ host: failingHost(calls.indexOf("deleteVolume") + 1, "before").host });
  assert.ok("artifact" in (results[0] ?? {}));
  const [volume] = (await cloud.resources()).filter((id) => id.startsWith("vol-") && !earlier.has(id));
  assert.equal(leftovers.length, 1);
  assert.equal(leftovers[0]?.id, volume);
  assert.equal(leftovers[0]?.removeWith, `aws ec2 --region us-east-1 delete-volume --volume-id ${volume}`);
  const real = await createBuildHost({ environment: cloud.environment }).connect({ type: "amazon-chroot" } as never, {
    signal: new AbortController().signal,
    onRetry: () => {},
  });
  await real.ec2.releasing.deleteVolume(volume as never);
  real[Symbol.dispose]();
});

test("cancelling at any event of a build leaves nothing", async () => {
  let count = 0;
  await build({ onEvent: () => void count++ });
  const earlier = await cloud.resources();
  const mounts = await mountTable();
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
  assert.equal(await mountTable(), mounts);
});

for (const creating of ["createVolume", "attachVolume", "createSnapshot", "registerImage"] as const) {
  test(`cancelling while ${creating} is under way leaves nothing`, async () => {
    const earlier = await cloud.resources();
    const controller = new AbortController();
    const real = createBuildHost({ environment: cloud.environment });
    const host: BuildHost = {
      environment: real.environment,
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
  const slow = await writeTemplate(cloud, { ami_name: "image {{uuid}}", mount_path }, [
    { type: "shell", inline: ["echo now", "sleep 2", "test -s /etc/resolv.conf"] },
  ]);
  const quick = await writeTemplate(cloud, { ami_name: "image {{uuid}}", mount_path });
  let second: ReturnType<typeof cloud.amibake> | undefined;
  const first = await cloud.amibake(["build", "-color=false", slow], {
    onStart: (child) =>
      void child.printed(": now").then(() => {
        second = cloud.amibake(["build", "-color=false", quick]);
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
