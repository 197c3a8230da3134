// A build that is killed leaves nothing on the host, and `amibake clean` removes what it left in the account.
// bench/crash.ts does the same a thousand times.
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { runAmibake } from "../helpers/amibake-cli.ts";
import { tinyBaseImage } from "../helpers/base-image.ts";
import { mountsAnywhere, processesIn } from "../helpers/build-traces.ts";
import { openCrashCampaign } from "../helpers/crash-campaign.ts";
import { readHostState } from "../helpers/host-state.ts";

for (const [builder, runCount] of [
  ["amazon-chroot", 20],
  ["amazon-direct", 4],
] as const) {
  test(`${runCount} killed ${builder} builds leave nothing, at journal entries and at random moments`, async (context) => {
    const seed = Number(process.env["AMIBAKE_TEST_SEED"] ?? Date.now() % 1_000_000);
    context.diagnostic(`seed ${seed}: repeat with AMIBAKE_TEST_SEED=${seed}`);
    await using campaign = await openCrashCampaign({ seed, builder });
    let killedCount = 0;
    for (let run = 0; run < runCount; run++) {
      const { what, isKilled, leaks } = await campaign.run(run);
      assert.deepEqual(leaks, [], `run ${run} of seed ${seed}: ${what}`);
      if (isKilled) killedCount++;
    }
    assert.ok(killedCount >= runCount / 2, `only ${killedCount} builds were killed`);
  });
}

test("a killed build takes the local cloud with it that it had started, and clean starts that again", async () => {
  const scratch = await mkdtemp(join(tmpdir(), "amibake-crash-"));
  const store = ["--store", join(scratch, "store")];
  const env = { AMIBAKE_STATE_DIR: join(scratch, "state") };
  const disk = await tinyBaseImage({ layout: "gpt" });
  const { stdout } = await runAmibake(["local", "import", disk, "--name", "base", "--json", ...store]);
  const template = join(scratch, "template.json");
  const builder = { type: "amazon-chroot", ami_name: "killed", source_ami: JSON.parse(stdout).imageId };
  const mount_path = join(scratch, "mnt/{{.Device}}");
  const provisioners = [{ type: "shell", inline: ["echo provisioning", "sleep 600"] }];
  await writeFile(template, JSON.stringify({ builders: [{ ...builder, mount_path }], provisioners }));
  const killed = await runAmibake(["build", "--local", template, ...store], {
    env,
    ownGroup: true,
    onStart: (child) => void child.printed("provisioning\n").then(() => child.kill("SIGKILL")),
  });
  assert.equal(killed.signal, "SIGKILL", killed.stderr);

  // The cloud's end gives its devices back: nothing at all of the build is on the host.
  const traces = async () => [
    ...(await mountsAnywhere(scratch)),
    ...(await processesIn(scratch)),
    ...[...(await readHostState())].filter((line) => line.includes(scratch)),
  ];
  for (let look = 0; look < 100 && (await traces()).length > 0; look++) await delay(100);
  assert.deepEqual(await traces(), []);

  const cleaned = await runAmibake(["clean", "--settle", "1s"], { env });
  assert.equal(cleaned.exitCode, 0, cleaned.stdout + cleaned.stderr);
  assert.match(cleaned.stdout, /removed volume vol-/);
  const volumes = await runAmibake(["local", "volumes", "--json", ...store]);
  assert.doesNotMatch(volumes.stdout, /vol-/);
  const again = await runAmibake(["clean"], { env });
  assert.match(again.stdout, /nothing to clean up/);
  assert.deepEqual(await readdir(join(scratch, "state/builds")), []);
  assert.equal((await runAmibake(["local", "reset", "--yes", ...store])).exitCode, 0);
  assert.deepEqual(await traces(), []);
  await rm(scratch, { recursive: true });
});
