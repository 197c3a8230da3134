import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { DeregisterImageCommand, DescribeImagesCommand } from "@aws-sdk/client-ec2";
import { amibakeCommand } from "../helpers/amibake-cli.ts";
import { writeTemplate } from "../helpers/build-template.ts";
import { CTRL_C, runAtTerminal, type Terminal } from "../helpers/terminal.ts";
import { startTestCloud } from "../helpers/test-cloud.ts";

const cloud = await startTestCloud();
after(() => cloud[Symbol.asyncDispose]());

/** A template whose error-cleanup-provisioner shows on the host what it found in the image. */
async function withErrorCleanup(
  provisioners: readonly Readonly<Record<string, unknown>>[],
  cleanup: Readonly<Record<string, unknown>>,
): Promise<string> {
  return writeTemplate(cloud, {}, provisioners, { "error-cleanup-provisioner": cleanup });
}

const shell = (...inline: string[]) => ({ type: "shell", inline });

async function atTerminal(template: string, ...flags: string[]): Promise<Terminal> {
  const argv = [...(await amibakeCommand()), "build", "-color=false", ...flags, template];
  return runAtTerminal(argv, { env: cloud.environment, cwd: cloud.scratch });
}

const QUESTION = '"shell: inline" failed: [c]lean up and exit, [a]bort without cleanup, [r]etry this step or [s]hell';

test("-on-error=ask: a shell has the image and the terminal, a retry goes on from the failed step", async () => {
  const earlier = await cloud.resources();
  const template = await writeTemplate(cloud, {}, [
    shell("echo first >>/root/log"),
    shell("test -e /root/mended"),
    shell("test $(cat /root/log | wc -l) = 1", "echo all is well"),
  ]);
  await using terminal = await atTerminal(template, "-on-error=ask");
  await terminal.waitFor("exit code is 1");
  await terminal.waitFor(QUESTION);
  terminal.type("x\n");
  await terminal.waitFor(QUESTION);
  terminal.type("s\n");
  terminal.type("touch /root/mended; test -t 0 && echo at-a-terminal-in-$HOME\n");
  await terminal.waitFor("at-a-terminal-in-/root\r\n");
  terminal.type(`sh -c 'trap "echo caught; exit" INT; echo ready; sleep 600 & wait'\n`);
  await terminal.waitFor("ready\r\n");
  // The shell's job, not amibake.
  terminal.type(CTRL_C);
  await terminal.waitFor("caught\r\n");
  terminal.type("ls /proc/1/exe >/dev/null && echo has-proc; exit\n");
  await terminal.waitFor("has-proc\r\n");
  await terminal.waitFor(QUESTION);
  terminal.type("r\n");
  await terminal.waitFor("all is well");
  assert.equal(await terminal.ended, 0, terminal.screen());
  const made = (await cloud.resources()).filter((id) => !earlier.includes(id));
  assert.deepEqual(made.map((id) => id.replace(/-.*/, "")).sort(), ["ami", "snap"]);
});

test("-on-error=ask: cleaning up runs the error-cleanup-provisioner in the image, and leaves nothing", async () => {
  const earlier = await cloud.resources();
  const found = join(cloud.scratch, "evidence-of-ask");
  const download = { type: "file", direction: "download", source: "/root/evidence", destination: found };
  const template = await withErrorCleanup([shell("echo broken >/root/evidence; exit 5")], download);
  await using terminal = await atTerminal(template, "-on-error=ask");
  await terminal.waitFor(QUESTION);
  terminal.type("c\n");
  assert.equal(await terminal.ended, 1, terminal.screen());
  assert.equal(await readFile(found, "utf8"), "broken\n");
  assert.deepEqual(await cloud.resources(), earlier);
});

test("-on-error=ask: Ctrl-C at the question cleans up", async () => {
  const earlier = await cloud.resources();
  await using terminal = await atTerminal(await writeTemplate(cloud, {}, [shell("exit 5")]), "-on-error=ask");
  await terminal.waitFor(QUESTION);
  terminal.type(CTRL_C);
  assert.equal(await terminal.ended, 130, terminal.screen());
  assert.deepEqual(await cloud.resources(), earlier);
});

test("-on-error=ask: two builds that fail are asked about one after the other", async () => {
  const earlier = await cloud.resources();
  const path = await writeTemplate(cloud, {}, [shell("sleep 1; exit 5")]);
  const template = JSON.parse(await readFile(path, "utf8"));
  template.builders = ["one", "two"].map((name) => ({ ...template.builders[0], name, ami_name: name }));
  await writeFile(path, JSON.stringify(template));
  await using terminal = await atTerminal(path, "-on-error=ask");
  await terminal.waitFor(QUESTION);
  const shown = terminal.screen().length;
  await delay(500);
  // Neither a live line nor the other build's question comes between.
  assert.equal(
    terminal
      .screen()
      .slice(shown)
      .replace(/^ in the image\? /, ""),
    "",
  );
  terminal.type("c\n");
  await terminal.waitFor(QUESTION);
  terminal.type("c\n");
  assert.equal(await terminal.ended, 1, terminal.screen());
  assert.deepEqual(await cloud.resources(), earlier);
});

test("-on-error=ask: a step after provisioning is offered again where that can help", async () => {
  const taken = `taken ${cloud.scratch}`;
  const template = await writeTemplate(cloud, { ami_name: taken }, [{ type: "breakpoint", note: "now" }]);
  const other = await writeTemplate(cloud, { ami_name: taken });
  await using terminal = await atTerminal(template, "-on-error=ask");
  await terminal.waitFor("Press enter to continue.");
  assert.equal((await cloud.amibake(["build", other])).exitCode, 0);
  terminal.type("\n");
  await terminal.waitFor("[c]lean up and exit, [a]bort without cleanup or [r]etry this step?");
  const { Images: images = [] } = await cloud.ec2.send(
    new DescribeImagesCommand({ Filters: [{ Name: "name", Values: [taken] }] }),
  );
  await cloud.ec2.send(new DeregisterImageCommand({ ImageId: images[0]?.ImageId }));
  terminal.type("r\n");
  assert.equal(await terminal.ended, 0, terminal.screen());
});

test("-on-error=ask without a terminal says so and cleans up", async () => {
  const earlier = await cloud.resources();
  const template = await writeTemplate(cloud, {}, [shell("exit 5")]);
  const result = await cloud.amibake(["build", "-on-error=ask", template], { input: "a\n" });
  assert.equal(result.exitCode, 1, result.stdout + result.stderr);
  assert.match(result.stdout, /There is no terminal to ask at/);
  assert.deepEqual(await cloud.resources(), earlier);
});

test("the error-cleanup-provisioner runs after a failure, and its own failure does not hide the first", async () => {
  const earlier = await cloud.resources();
  const template = await withErrorCleanup(
    [shell("echo broken >/root/evidence; exit 5"), shell("echo never")],
    shell("echo found $(cat /root/evidence)", "exit 6"),
  );
  const result = await cloud.amibake(["build", "-color=false", template]);
  assert.equal(result.exitCode, 1);
  assert.match(result.stdout, /found broken/);
  assert.doesNotMatch(result.stdout, /never/);
  assert.match(result.stdout, /Warning: The error-cleanup-provisioner failed: .* exit code is 6/);
  assert.match(
    result.stderr,
    /^Error: Cannot provision with "shell: inline" of .*template-\d+\.json:\d+:\d+\n.*exit code is 5/m,
  );
  assert.deepEqual(await cloud.resources(), earlier);
});

test("the error-cleanup-provisioner runs after Ctrl-C too, and not after a success", async () => {
  const earlier = await cloud.resources();
  const found = join(cloud.scratch, "evidence-of-interruption");
  const download = { type: "file", direction: "download", source: "/root/evidence", destination: found };
  const slow = await withErrorCleanup([shell("echo late >/root/evidence; echo now; sleep 600")], download);
  const result = await cloud.amibake(["build", "-color=false", slow], {
    onStart: (child) => void child.printed(": now").then(() => child.kill("SIGINT")),
  });
  assert.equal(result.exitCode, 130, result.stdout + result.stderr);
  assert.equal(await readFile(found, "utf8"), "late\n");
  assert.deepEqual(await cloud.resources(), earlier);
  const good = await withErrorCleanup([shell("true")], shell("echo tidying"));
  assert.doesNotMatch((await cloud.amibake(["build", good])).stdout, /tidying/);
});
