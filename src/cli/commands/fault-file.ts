import { ToolError } from "../../base/errors.ts";
import { type Problem, ProblemList } from "../../base/problems.ts";
import { countOf } from "../../base/units.ts";
import type { FaultPlan } from "../../local-cloud/faults/fault-plan.ts";
import { readFaults } from "../../local-cloud/faults/read-faults.ts";
import { readText } from "../../template/read-text.ts";

/** Everything that is wrong with a fault file, in the order of the file. */
class FaultFileError extends ToolError {
  readonly problems: readonly Problem[];

  constructor(path: string, problems: readonly Problem[]) {
    const count = `it has ${countOf(problems.length, "problem")}`;
    super("ERR_FAULT_FILE", `Cannot use the fault file "${path}": ${count}`, { fault: "usage" });
    this.problems = problems;
  }
}

/** Reads what `--faults` names. @throws ERR_FAULT_FILE with everything that is wrong. */
export async function readFaultFile(path: string): Promise<FaultPlan> {
  const problems = new ProblemList();
  const text = await readText(path, problems);
  const plan = text === undefined ? undefined : readFaults(path, text, problems);
  if (plan === undefined || !problems.isEmpty) throw new FaultFileError(path, problems.sorted([]));
  return plan;
}
