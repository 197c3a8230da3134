import type { FaultName } from "./fault-kinds.ts";

/** A fault file, checked. */
export interface FaultPlan {
  readonly seed: number;
  readonly faults: readonly FaultRule[];
}

/** One fault, and the calls it strikes. Calls count from 1, those of `actions` alone. */
export interface FaultRule {
  readonly fault: FaultName;
  /** Names of actions; "Describe*" is every action that begins so, "*" every one that the fault can strike. */
  readonly actions: readonly string[];
  /** Of these calls; with neither this, `first` nor `from`, of every call. */
  readonly calls?: readonly number[] | undefined;
  readonly first?: number | undefined;
  readonly from?: number | undefined;
  /** How likely it is that one of those calls is struck, 0 to 1. @default 1 */
  readonly share?: number | undefined;
  /** How many calls in a row one strike takes in. @default 1 */
  readonly burst?: number | undefined;
  /** How many calls it strikes at most. */
  readonly times?: number | undefined;
  /** How long what it does lasts. */
  readonly seconds?: number | undefined;
  /** Why it failed, in the words of EC2. */
  readonly message?: string | undefined;
}

export const NO_FAULTS: FaultPlan = { seed: 1, faults: [] };

/** Whether a name of an action is meant by "CreateVolume", "Describe*" or "*". */
export function isMeantBy(action: string, pattern: string): boolean {
  return pattern.endsWith("*") ? action.startsWith(pattern.slice(0, -1)) : action === pattern;
}
