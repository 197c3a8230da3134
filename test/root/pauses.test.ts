// Pauses: -debug, and the provisioner breakpoint.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { runCommand } from "../../src/linux/run-command.ts";
import { amibakeCommand } from "../helpers/amibake-cli.ts";
import { writeTemplate } from "../helpers/build-template.ts";
import { CTRL_C, runAtTerminal, type Terminal } from "../helpers/terminal.ts";
import { startTestCloud } from "../helpers/test-cloud.ts";

const cloud = await startTestCloud();
after(() => cloud[Symbol.asyncDispose]());

const shell = (...inline: string[]) => ({ type: "shell", inline });

async function atTerminal(template: string, ...flags: string[]): Promise<Terminal> {
  const argv = [...(await amibakeCommand()), "build", "-color=false", ...flags, template];
  return runAtTerminal(argv, { env: cloud.environment, cwd: cloud.scratch });
}

/** What a command line prints that a person was told to type. */
async function output(commandLine: string): Promise<string> {
  return (await runCommand(["/bin/sh", "-c", commandLine])).stdout.toString();
}

test("a breakpoint shows its note and the way in, and goes on at enter; Ctrl-C there cancels", async () => {
  const template = await writeTemplate(cloud, { ami_name: "image {{uuid}}" }, [
    shell("echo inside >/root/seen"),
    { type: "breakpoint", note: "look at {{build `SourceAMI`}}" },
    { type: "breakpoint", note: "not here", disable: true },
  ]);
  await using terminal = await atTerminal(template);
  await terminal.waitFor("To look around: ");
  await terminal.waitFor(`Paused at the breakpoint: look at ${cloud.baseImageId}. Press enter to continue. `);
  const [, wayIn = ""] = /To look around: (.*)\r\n/.exec(terminal.screen()) ?? [];
  assert.equal(await output(`${wayIn} -c 'cat /root/seen; test -e /proc/1/exe && echo proc'`), "inside\nproc\n");
  terminal.type("\n");
  await terminal.waitFor("This breakpoint is disabled");
  assert.equal(await terminal.ended, 0, terminal.screen());

  const earlier = await cloud.resources();
  await using cancelled = await atTerminal(template);
  await cancelled.waitFor("Press enter to continue.");
  cancelled.type(CTRL_C);
  assert.equal(await cancelled.ended, 130, cancelled.screen());
  assert.deepEqual(await cloud.resources(), earlier);
});

test("a breakpoint takes a line of a pipe for the enter key, and fails where input has ended", async () => {
  const template = await writeTemplate(cloud, { ami_name: "image {{uuid}}" }, [{ type: "breakpoint" }]);
  const piped = await cloud.amibake(["build", template], { input: "\n" });
  assert.equal(piped.exitCode, 0, piped.stdout + piped.stderr);
  const earlier = await cloud.resources();
  const silent = await cloud.amibake(["build", template], { input: "" });
  assert.equal(silent.exitCode, 1);
  assert.match(silent.stderr, /Cannot pause at the breakpoint: nobody answers on standard input/);
  assert.match(silent.stderr, /hint: Run it in a terminal, or turn the breakpoint off: "disable": true/);
  assert.deepEqual(await cloud.resources(), earlier);
});

test("nobody is asked in an output for programs: told before anything is made", async () => {
  const breakpoint = await writeTemplate(cloud, {}, [{ type: "breakpoint" }]);
  const plain = await writeTemplate(cloud);
  for (const args of [
    ["-json", breakpoint],
    ["-machine-readable", breakpoint],
    ["-json", "-on-error=ask", plain],
    ["-machine-readable", "-debug", plain],
  ]) {
    const result = await cloud.amibake(["build", ...args]);
    assert.equal(result.exitCode, 2, args.join(" "));
    assert.match(result.stdout, /in an output for programs/, args.join(" "));
  }
});

test("-debug pauses after each step, at a terminal and with a pipe, and builds one after the other", async () => {
  const template = await writeTemplate(cloud, { ami_name: "image {{uuid}}" }, [shell("true")]);
  await using terminal = await atTerminal(template, "-debug");
  let pauses = 0;
  const pressEnter = async (): Promise<void> => {
    for (;;) {
      await terminal.waitFor("Press enter to continue. ");
      pauses++;
      terminal.type("\n");
    }
  };
  const pressing = pressEnter().catch(() => {});
  assert.equal(await terminal.ended, 0, terminal.screen());
  await pressing;
  assert.match(terminal.screen(), /Pausing after step "shell: inline"\. Press enter/);
  const shown = terminal.screen().split("Pausing after step").length - 1;
  assert.ok(pauses >= 10 && pauses === shown, `${pauses} pauses, ${shown} shown`);

  // A line each for some of the steps; at the end of the input it goes on by itself.
  const piped = await cloud.amibake(["build", "-debug", template], { input: "\n\n\n" });
  assert.equal(piped.exitCode, 0, piped.stdout + piped.stderr);
  assert.match(piped.stdout, /To look around: .*nsenter .* chroot /);
});

test("-debug: Ctrl-C during a pause cancels, and leaves nothing", async () => {
  const earlier = await cloud.resources();
  await using terminal = await atTerminal(await writeTemplate(cloud), "-debug");
  do {
    await terminal.waitFor("Press enter to continue. ");
    terminal.type(terminal.screen().includes('Pausing after step "Mounting') ? CTRL_C : "\n");
  } while (!terminal.screen().includes('Pausing after step "Mounting'));
  assert.equal(await terminal.ended, 130, terminal.screen());
  assert.deepEqual(await cloud.resources(), earlier);
});
