import { createHash } from "node:crypto";
import type { FaultHolds } from "./fault-holds.ts";
import { type FaultKind, type FaultOf, faultKind } from "./fault-kinds.ts";
import { type FaultPlan, type FaultRule, isMeantBy, NO_FAULTS } from "./fault-plan.ts";

/** What the faults do to one call. */
export interface MetFaults {
  /** What is answered instead of doing the action. */
  readonly refusal: FaultOf<"instead"> | undefined;
  /** How much later the call is answered. */
  readonly delayMs: number;
  /** Whether a fault befalls what the action makes. Asked when it is being done, which makes it a strike. */
  effect(fault: FaultOf<"effect">): FaultRule | undefined;
  /** To be asked once the action has succeeded: what then happens to its answer. */
  lostAnswer(): FaultOf<"after"> | undefined;
}

/** What a call meets that does not come over the wire. */
export const NO_FAULTS_MET: MetFaults = {
  refusal: undefined,
  delayMs: 0,
  effect: () => undefined,
  lostAnswer: () => undefined,
};

/** A rule and how it has fared. */
export interface FaultRuleReport {
  readonly rule: FaultRule;
  /** How many calls of its actions there have been. */
  readonly callCount: number;
  /** How many of them it has struck. */
  readonly strikeCount: number;
}

export interface FaultReport {
  readonly seed: number;
  readonly rules: readonly FaultRuleReport[];
}

interface RuleState {
  readonly rule: FaultRule;
  /** Decides, for the n-th call, whether it is struck: a number in [0, 1). */
  readonly draw: (call: number) => number;
  callCount: number;
  strikeCount: number;
  /** Calls that the last strike still takes in. */
  burstLeft: number;
}

/**
 * Decides which calls are struck by which fault.
 *
 * Counters live as long as the process and start anew with each plan. What a rule does to its n-th call depends on the
 * seed, the rule's place in the plan and n alone.
 */
export class FaultEngine {
  readonly holds: FaultHolds;
  #seed = 1;
  #rules: RuleState[] = [];

  constructor(holds: FaultHolds, plan: FaultPlan = NO_FAULTS) {
    this.holds = holds;
    this.replace(plan);
  }

  /** Also ends what earlier faults still hold back. */
  replace({ seed, faults }: FaultPlan): void {
    this.holds.releaseAll();
    this.#seed = seed;
    this.#rules = faults.map((rule, index) => ({
      rule,
      draw: (call) => drawShare(`${seed} fault ${index} call ${call}`),
      callCount: 0,
      strikeCount: 0,
      burstLeft: 0,
    }));
  }

  report(): FaultReport {
    const rules = this.#rules.map(({ rule, callCount, strikeCount }) => ({ rule, callCount, strikeCount }));
    return { seed: this.#seed, rules };
  }

  /** Counts a call, and tells what happens to it. A rule that cannot strike because another refused has no strike. */
  meet(action: string): MetFaults {
    const met = this.#rules.filter((state) => isMet(state, action));
    const ofMoment = (moment: FaultKind["moment"]) => met.filter(({ rule }) => faultKind(rule.fault).moment === moment);
    const struck = new Set<RuleState>();
    const strike = (state: RuleState | undefined): FaultRule | undefined => {
      // An action may make several things: that is one strike.
      if (state !== undefined && !struck.has(state)) state.strikeCount += 1;
      if (state !== undefined) struck.add(state);
      return state?.rule;
    };
    const delays = ofMoment("late").map((state) => (strike(state)?.seconds ?? 0) * 1000);
    return {
      // The rules have been chosen by the moment of their fault.
      refusal: strike(ofMoment("instead")[0])?.fault as FaultOf<"instead"> | undefined,
      delayMs: delays.reduce((sumMs, delayMs) => sumMs + delayMs, 0),
      effect: (fault) => strike(met.find(({ rule }) => rule.fault === fault)),
      lostAnswer: () => strike(ofMoment("after")[0])?.fault as FaultOf<"after"> | undefined,
    };
  }
}

function isMet(state: RuleState, action: string): boolean {
  const { rule } = state;
  if (!rule.actions.some((pattern) => isMeantBy(action, pattern))) return false;
  state.callCount += 1;
  if (rule.times !== undefined && state.strikeCount >= rule.times) return false;
  if (state.burstLeft > 0) {
    state.burstLeft -= 1;
    return true;
  }
  const isStruck = isChosen(rule, state.callCount) && state.draw(state.callCount) < (rule.share ?? 1);
  if (isStruck) state.burstLeft = (rule.burst ?? 1) - 1;
  return isStruck;
}

function isChosen({ calls, first, from }: FaultRule, call: number): boolean {
  if (calls !== undefined) return calls.includes(call);
  if (first !== undefined) return call <= first;
  return call >= (from ?? 1);
}

/** A number in [0, 1) that belongs to `key`: always the same one. */
function drawShare(key: string): number {
  return createHash("sha256").update(key).digest().readUInt32BE(0) / 4_294_967_296;
}
