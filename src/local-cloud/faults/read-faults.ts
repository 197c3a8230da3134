import { describeJson, type JsonValue } from "../../base/json/json-value.ts";
import { parseJson } from "../../base/json/parse-json.ts";
import type { ProblemList } from "../../base/problems.ts";
import { EBS_OPERATIONS } from "../ebs-direct/operations.ts";
import { EC2_OPERATIONS, STS_OPERATIONS } from "../operations/operations.ts";
import { FAULT_NAMES, type FaultKind, type FaultName, faultKind } from "./fault-kinds.ts";
import { type FaultPlan, type FaultRule, isMeantBy } from "./fault-plan.ts";
import { type Fields, fieldsOf, quote, suggestion } from "./json-fields.ts";

// A day is as good as for ever.
const SECONDS_MAX = 86_400;

const ACTIONS = [EC2_OPERATIONS, STS_OPERATIONS, EBS_OPERATIONS].flatMap((table) => Object.keys(table));

/** The keys that choose calls: a rule has at most one of them. */
const CHOICES = ["calls", "first", "from"] as const;
export const RULE_KEYS = ["fault", "action", ...CHOICES, "share", "burst", "times", "seconds", "message"];

/**
 * Reads a fault file.
 *
 * @param file as it is called in problems.
 * @returns a plan that counts only if there are no problems.
 */
export function readFaults(file: string, text: string, problems: ProblemList): FaultPlan | undefined {
  const json = parseJson(file, text, problems);
  const root = json === undefined ? undefined : fieldsOf(json, "the fault file", problems);
  if (root === undefined) return undefined;
  root.checkKeys(["seed", "faults"]);
  const seed = root.number("seed", { min: 0, max: 4_294_967_295, isWhole: true }) ?? 1;
  const faults = root.member("faults")?.value;
  if (faults === undefined) {
    root.complain('The key "faults" is missing: a list of rules');
    return undefined;
  }
  if (faults.kind !== "array") {
    problems.add(`"faults" must be a list of rules, not ${describeJson(faults)}`, { location: faults.location });
    return undefined;
  }
  return { seed, faults: faults.items.flatMap((item) => readRule(item, problems) ?? []) };
}

function readRule(json: JsonValue, problems: ProblemList): FaultRule | undefined {
  const fields = fieldsOf(json, "the rule", problems);
  if (fields === undefined) return undefined;
  fields.checkKeys(RULE_KEYS);
  const fault = readFault(fields);
  const kind = fault === undefined ? undefined : faultKind(fault);
  const choices = CHOICES.filter((key) => fields.member(key) !== undefined);
  if (choices.length > 1) {
    fields.complain(`A rule has one of ${CHOICES.map(quote).join(", ")}, not ${choices.map(quote).join(" and ")}`);
  }
  const count = { min: 1, max: 1e9, isWhole: true };
  const rule = {
    actions: readActions(fields, fault, kind),
    calls: fields.numbers("calls", count),
    first: fields.number("first", count),
    from: fields.number("from", count),
    share: fields.number("share", { min: 0, max: 1, isWhole: false }),
    burst: fields.number("burst", count),
    times: fields.number("times", count),
    seconds: readSeconds(fields, fault, kind),
    message: readMessage(fields, fault, kind),
  };
  return fault === undefined ? undefined : { fault, ...rule };
}

function readFault(fields: Fields): FaultName | undefined {
  const value = fields.member("fault")?.value;
  if (value === undefined) {
    fields.complain(`The key "fault" is missing: one of ${FAULT_NAMES.join(", ")}`);
    return undefined;
  }
  const name = FAULT_NAMES.find((known) => value.kind === "string" && value.value === known);
  if (name === undefined) {
    const hint = value.kind === "string" ? suggestion(value.value, FAULT_NAMES) : undefined;
    const message = `"fault" must be one of ${FAULT_NAMES.join(", ")}, not ${describeJson(value)}`;
    fields.complain(message, value.location, hint);
  }
  return name;
}

function readActions(fields: Fields, fault: FaultName | undefined, kind: FaultKind | undefined): string[] {
  const possible = kind?.actions ?? ACTIONS;
  return (
    fields.strings("action", (pattern, location) => {
      if (possible.some((action) => isMeantBy(action, pattern))) return;
      const isElsewhere = ACTIONS.some((action) => isMeantBy(action, pattern));
      const message = isElsewhere
        ? `"${fault}" can strike ${possible.join(", ")}, not ${quote(pattern)}`
        : `The local cloud has no action ${quote(pattern)}`;
      fields.complain(message, location, isElsewhere ? undefined : suggestion(pattern, possible));
    }) ?? [...(kind?.actions ?? ["*"])]
  );
}

function readMessage(fields: Fields, fault: FaultName | undefined, kind: FaultKind | undefined): string | undefined {
  const member = fields.member("message");
  if (kind !== undefined && kind.hasMessage === undefined && member !== undefined) {
    fields.complain(`"${fault}" takes no "message"`, member.keyLocation);
  }
  return fields.text("message");
}

function readSeconds(fields: Fields, fault: FaultName | undefined, kind: FaultKind | undefined): number | undefined {
  const member = fields.member("seconds");
  if (kind !== undefined && kind.seconds === undefined && member !== undefined) {
    fields.complain(`"${fault}" takes no "seconds"`, member.keyLocation);
  }
  if (kind?.seconds === "required" && member === undefined) {
    fields.complain(`The key "seconds" is missing: how long ${quote(fault ?? "")} lasts`);
  }
  return fields.number("seconds", { min: 0, max: SECONDS_MAX, isWhole: false });
}
