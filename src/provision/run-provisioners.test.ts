import assert from "node:assert/strict";
import { test } from "node:test";
import { openHostCommunicator } from "../../test/helpers/host-communicator.ts";
import { ToolError } from "../base/errors.ts";
import type { ProvisionerPlan } from "../template/build-plan.ts";
import { plainText } from "../template/deferred.ts";
import { fileProvisionerSchema } from "../template/schema/file-provisioner.ts";
import { shellProvisionerSchema } from "../template/schema/shell-provisioner.ts";
import type { ProvisionEvent } from "./provision-events.ts";
import { runProvisioners } from "./run-provisioners.ts";

const SETTINGS = {
  location: { file: "web.json", line: 7, column: 5 },
  pauseBeforeMs: 0,
  timeoutMs: undefined,
  retriesMax: 0,
};

function shell(line: string, settings: Partial<typeof SETTINGS | ProvisionerPlan> = {}): ProvisionerPlan {
  const config = shellProvisionerSchema.parse({ inline: [plainText(line)] });
  return { ...SETTINGS, ...settings, type: "shell", config } as ProvisionerPlan;
}

async function openBench(signal = new AbortController().signal) {
  const image = await openHostCommunicator();
  const events: ProvisionEvent[] = [];
  const log: string[] = [];
  return {
    log,
    events,
    image,
    run(plans: ProvisionerPlan[]) {
      const inImage = plans.map((plan) =>
        plan.type === "shell" ? { ...plan, config: { ...plan.config, remote_folder: image.directory } } : plan,
      );
      return runProvisioners(inImage, {
        communicator: image,
        variables: {},
        buildName: "web",
        buildType: "amazon-chroot",
        signal,
        emit: (event) => events.push(event),
        clock: { now: () => 0, sleep: async (durationMs) => void log.push(`sleep ${durationMs}`) },
        async runStep(title, work) {
          log.push(`start ${title}`);
          const result = await work();
          log.push(`finish ${title}`);
          return result;
        },
      });
    },
    [Symbol.asyncDispose]: () => image[Symbol.asyncDispose](),
  };
}

test("runProvisioners() runs each as a step, in their order", async () => {
  await using bench = await openBench();
  const config = fileProvisionerSchema.parse({
    content: plainText("x"),
    destination: plainText(`${bench.image.directory}/motd`),
  });
  await bench.run([{ ...SETTINGS, type: "file", config }, shell("cat motd", { pauseBeforeMs: 1000 })]);
  const file = `file: ${bench.image.directory}/motd`;
  assert.deepEqual(bench.log, [
    `start ${file}`,
    `finish ${file}`,
    "start shell: inline",
    "sleep 1000",
    "finish shell: inline",
  ]);
  assert.deepEqual(bench.events.slice(1), [
    { type: "message", text: "Waiting 1.0 s before it" },
    { type: "output", stream: "stdout", line: "x" },
  ]);
});

test("runProvisioners() stops at a failure and says where the provisioner stands", async () => {
  await using bench = await openBench();
  await assert.rejects(bench.run([shell("exit 9"), shell("true")]), (error: unknown) => {
    assert.ok(error instanceof ToolError && error.cause instanceof ToolError);
    assert.equal(error.code, "ERR_PROVISIONER_FAILED");
    assert.equal(error.message, 'Cannot provision with "shell: inline" of web.json:7:5');
    assert.equal(error.cause.message, "Cannot finish the inline script: exit code is 9; it printed nothing");
    return true;
  });
  assert.deepEqual(bench.log, ["start shell: inline"]);
});

test("runProvisioners() tries again as often as max_retries says", async () => {
  await using bench = await openBench();
  const secondTime = shell("test -e mark || { touch mark; exit 1; }", { retriesMax: 1, pauseBeforeMs: 5 });
  await bench.run([secondTime]);
  assert.deepEqual(bench.log, ["start shell: inline", "sleep 5", "sleep 5", "finish shell: inline"]);
  assert.deepEqual(bench.events[1], {
    type: "retry",
    call: "shell: inline",
    attempt: 1,
    reason: "Cannot finish the inline script: exit code is 1",
  });
  await assert.rejects(bench.run([shell("exit 1", { retriesMax: 2 })]), { code: "ERR_PROVISIONER_FAILED" });
  assert.equal(bench.events.filter(({ type }) => type === "retry").length, 3);
});

test("runProvisioners() ends a provisioner at its timeout", async () => {
  await using bench = await openBench();
  await assert.rejects(bench.run([shell("sleep 60", { timeoutMs: 200 })]), (error: unknown) => {
    assert.ok(error instanceof ToolError && error.cause instanceof ToolError);
    assert.equal(error.cause.code, "ERR_PROVISIONER_TIMEOUT");
    assert.equal(error.cause.message, "Cannot finish within 0.2 s, its timeout");
    return true;
  });
});

test("runProvisioners() throws the reason of an abort as it is, and does not try again", async () => {
  const controller = new AbortController();
  await using bench = await openBench(controller.signal);
  const running = bench.run([shell("sleep 60", { retriesMax: 5 })]);
  setTimeout(() => controller.abort(new Error("Received SIGINT")), 100);
  await assert.rejects(running, { message: "Received SIGINT" });
  assert.deepEqual(bench.events, []);
});
