import type { MetFaults } from "../faults/fault-engine.ts";
import { ApiError } from "../protocol/api-error.ts";
import type { Params } from "../protocol/query-params.ts";
import type { XmlObject } from "../protocol/xml.ts";
import type { CredentialRecord } from "../state/records.ts";
import type { Cloud } from "./cloud.ts";

/** One authenticated request for one action, whatever the protocol. */
export interface CallContext {
  readonly action: string;
  readonly cloud: Cloud;
  readonly caller: CredentialRecord;
  /** From the credential scope of the signature. */
  readonly region: string;
  readonly faults: MetFaults;
}

/** A request by the Query protocol. */
export interface Call extends CallContext {
  readonly params: Params;
}

export interface Operation {
  /** Top-level parameters that AWS knows for this action. Anything else is UnknownParameter. */
  readonly parameters: ReadonlySet<string>;
  readonly run: (call: Call) => XmlObject | Promise<XmlObject>;
}

/** @param parameters names, separated by blanks. */
export function operation(run: Operation["run"], parameters: string): Operation {
  return { run, parameters: new Set([...parameters.split(" "), "DryRun"]) };
}

/** Hides what the call makes for a while, if a fault says so. Called before it is in the state. */
export function hideIfStruck({ cloud, faults }: Pick<Call, "cloud" | "faults">, id: string): void {
  const { holds } = cloud.faults;
  const invisible = faults.effect("invisible");
  if (invisible !== undefined) holds.hide(id, invisible.seconds ?? 0);
  const flickering = faults.effect("flickering");
  if (flickering !== undefined) holds.flicker(id, flickering.seconds ?? 0);
}

/**
 * The end of an action's checks: with DryRun, nothing after this line happens.
 *
 * @throws {ApiError} DryRunOperation.
 */
export function stopIfDryRun({ params }: Call): void {
  if (params.boolean("DryRun") !== true) return;
  throw new ApiError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412);
}
