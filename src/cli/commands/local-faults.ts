import { ToolError } from "../../base/errors.ts";
import { shellQuote } from "../../base/shell-quote.ts";
import { askDaemon } from "../../local-cloud/daemon/control-client.ts";
import type { FaultReport, FaultRuleReport } from "../../local-cloud/faults/fault-engine.ts";
import { type FaultPlan, type FaultRule, NO_FAULTS } from "../../local-cloud/faults/fault-plan.ts";
import type { CliContext } from "../cli-context.ts";
import type { ExitCode } from "../exit-codes.ts";
import { usageError } from "../usage-error.ts";
import { readFaultFile } from "./fault-file.ts";
import { localStoreDirectory, type StoreOptions } from "./local-store.ts";
import { tableLines } from "./table-lines.ts";

export interface LocalFaultsOptions extends StoreOptions {
  readonly clear?: boolean;
  readonly json?: boolean;
}

/** Shows the faults of the local cloud that runs, after replacing them by those of a file or by none. */
export async function runLocalFaults(
  file: string | undefined,
  options: LocalFaultsOptions,
  context: CliContext,
): Promise<ExitCode> {
  if (file !== undefined && options.clear) {
    throw usageError("Cannot set and clear faults at once", "Leave out the file, or --clear");
  }
  const storeDirectory = localStoreDirectory(options, context.environment);
  const plan = options.clear ? NO_FAULTS : file === undefined ? undefined : await readFaultFile(file);
  const report = await askForFaults(storeDirectory, plan);
  const lines = options.json
    ? [JSON.stringify({ type: "local-faults", ...report }, undefined, 2)]
    : reportLines(report);
  context.stdout.write(`${lines.join("\n")}\n`);
  return 0;
}

/** @param plan what replaces the faults that are in force. */
export async function askForFaults(storeDirectory: string, plan?: FaultPlan): Promise<FaultReport> {
  await using answer = await askDaemon(storeDirectory, "faults", { plan });
  if (answer !== undefined) return answer.result;
  throw new ToolError("ERR_NO_LOCAL_CLOUD", `Cannot reach the local cloud of "${storeDirectory}": none runs`, {
    hint: `Start it: amibake local start --store ${shellQuote(storeDirectory)}`,
    fault: "usage",
  });
}

function reportLines({ seed, rules }: FaultReport): string[] {
  if (rules.length === 0) return ["No faults"];
  const heads = ["FAULT", "ACTIONS", "STRIKES", "CALLS", "STRUCK"];
  const rows = rules.map((report) => [
    report.rule.fault,
    report.rule.actions.join(" "),
    choiceText(report),
    String(report.callCount),
    String(report.strikeCount),
  ]);
  return [...tableLines([heads, ...rows]), `Seed ${seed}`];
}

/** "the first 3", "20 % of call 5 on, 3 in a row, for 30 s". */
function choiceText({ rule }: FaultRuleReport): string {
  const { share, burst, times, seconds } = rule;
  const part = share === undefined ? "" : `${Number((share * 100).toPrecision(3))} % of `;
  return [
    part + chosenCalls(rule),
    ...(burst === undefined ? [] : [`${burst} in a row`]),
    ...(times === undefined ? [] : [`at most ${times}`]),
    ...(seconds === undefined ? [] : [`for ${seconds} s`]),
  ].join(", ");
}

function chosenCalls({ calls, first, from }: FaultRule): string {
  if (calls !== undefined) return `call ${calls.join(", ")}`;
  if (first !== undefined) return `the first ${first}`;
  return from === undefined ? "every call" : `call ${from} on`;
}
