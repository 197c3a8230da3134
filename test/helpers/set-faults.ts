import type { FaultReport } from "../../src/local-cloud/faults/fault-engine.ts";
import type { FaultRule } from "../../src/local-cloud/faults/fault-plan.ts";
import { askCloud } from "./ask-cloud.ts";
import type { TestCloud } from "./test-cloud.ts";

/** Replaces the faults of a cloud; the report is of those that were in force. */
export async function setFaults(
  { storeDirectory }: TestCloud,
  faults: readonly FaultRule[],
  seed = 1,
): Promise<FaultReport> {
  const before = await askCloud(storeDirectory, "faults", {});
  await askCloud(storeDirectory, "faults", { plan: { seed, faults } });
  return before;
}
