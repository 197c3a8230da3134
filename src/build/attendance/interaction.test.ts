import assert from "node:assert/strict";
import { test } from "node:test";
import { ToolError } from "../../base/errors.ts";
import type { BuildEvent } from "../build-events.ts";
import { Interaction } from "./interaction.ts";

test("a shell that cannot be opened is told with its hint, and the question is asked again", async () => {
  const answers = ["s", "c"];
  const events: BuildEvent[] = [];
  const interaction = new Interaction({
    buildName: "web",
    emit: (event) => events.push(event),
    signal: new AbortController().signal,
    prompter: { isInteractive: true, ask: async () => answers.shift(), lend: (work) => work() },
  });
  interaction.wayIn = {
    mountpoint: "/mnt/a",
    commandLine: "chroot /mnt/a",
    async openShell() {
      const cause = new ToolError("ERR_SANDBOX_ENDED", "its first process was killed", { hint: "See dmesg" });
      throw new ToolError("ERR_SHELL", "Cannot run it", { cause });
    },
  };
  assert.equal(await interaction.choose({ error: new Error("x"), isRepeatable: false }), "clean");
  assert.deepEqual(answers, []);
  assert.deepEqual(events, [
    { type: "warning", text: "Cannot open a shell in the image: Cannot run it", hint: "See dmesg" },
  ]);
});
