import { countOf } from "../../base/units.ts";
import { askDaemon } from "../../local-cloud/daemon/control-client.ts";
import type { DaemonStatus } from "../../local-cloud/daemon/control-protocol.ts";
import type { CliContext } from "../cli-context.ts";
import type { ExitCode } from "../exit-codes.ts";
import { localStoreDirectory, type StoreOptions } from "./local-store.ts";

/** Tells whether the local cloud runs. */
export async function runLocalStatus(
  options: StoreOptions & { readonly json?: boolean },
  context: CliContext,
): Promise<ExitCode> {
  const storeDirectory = localStoreDirectory(options, context.environment);
  await using answer = await askDaemon(storeDirectory, "status", {});
  const status = answer?.result;
  if (options.json) {
    const record = status === undefined ? { running: false, storeDirectory } : { running: true, ...status };
    context.stdout.write(`${JSON.stringify({ type: "local-status", ...record }, undefined, 2)}\n`);
  } else {
    const lines = status === undefined ? [`No local cloud runs for ${storeDirectory}`] : statusLines(status);
    context.stdout.write(`${lines.join("\n")}\n`);
  }
  return status === undefined ? 1 : 0;
}

function statusLines({ pid, url, imdsUrl, startedAt, clientCount, faultRuleCount, settings }: DaemonStatus): string[] {
  const until = settings.isEphemeral ? "its last client is gone" : "it is stopped";
  return [
    `The local cloud of ${settings.storeDirectory} runs until ${until}`,
    `  AWS       ${url}`,
    `  IMDS      ${imdsUrl ?? `${url}/latest/`}`,
    `  process   ${pid}, since ${startedAt}`,
    `  clients   ${clientCount}`,
    `  latency   ${settings.latency}${settings.latency === "aws" ? `, seed ${settings.seed}` : ""}`,
    ...(settings.blocks === "memory" ? ["  blocks    in memory: nothing survives"] : []),
    ...(faultRuleCount === 0 ? [] : [`  faults    ${countOf(faultRuleCount, "rule")}: amibake local faults`]),
    `  instance  ${settings.nitro ? "Nitro: volumes are NVMe devices" : "Xen: volumes are /dev/xvd devices"}`,
  ];
}
