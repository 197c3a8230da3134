import assert from "node:assert/strict";
import { test } from "node:test";
import { EBS_OPERATIONS } from "../../src/local-cloud/ebs-direct/operations.ts";
import { EC2_OPERATIONS, STS_OPERATIONS } from "../../src/local-cloud/operations/operations.ts";
import { PLANS } from "../helpers/kill-campaign/attempts.ts";
import { runKillCampaign } from "../helpers/kill-campaign/campaign.ts";

const KILLS = 20;

test("The campaign has every action that changes something", () => {
  const all = [EC2_OPERATIONS, EBS_OPERATIONS, STS_OPERATIONS].flatMap((table) => Object.keys(table));
  const changing = all.filter((name) => !/^(Describe|Get|List)/.test(name));
  const planned = Object.keys(PLANS).filter((name) => /^[A-Z]/.test(name));
  assert.deepEqual(planned.toSorted(), changing.toSorted());
});

test(`${KILLS} kills of the daemon, during each action, lose nothing that was acknowledged`, async (context) => {
  const seed = Number(process.env["AMIBAKE_TEST_SEED"] ?? Date.now() % 1_000_000);
  context.diagnostic(`seed ${seed}: repeat with AMIBAKE_TEST_SEED=${seed}`);
  const figures = await runKillCampaign({ seed, kills: KILLS, say: (line) => context.diagnostic(line) });
  context.diagnostic(JSON.stringify(figures));
  assert.ok(figures.cutOff >= KILLS, `only ${figures.cutOff} calls were under way at ${figures.kills} kills`);
});
