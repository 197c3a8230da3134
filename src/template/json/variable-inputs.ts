// The values of user variables that come from outside the template.

import { describeJson, type JsonString } from "../../base/json/json-value.ts";
import { parseJson } from "../../base/json/parse-json.ts";
import type { ProblemList } from "../../base/problems.ts";
import { nearMiss } from "../../base/suggest.ts";
import { hideAssigned } from "../hide-assigned.ts";
import { readText } from "../read-text.ts";
import type { UserVariables } from "./user-variables.ts";

export interface VariableInputs {
  /** Of `-var`, in the order given. */
  readonly variables: readonly { readonly name: string; readonly value: string }[];
  /** Of `-var-file`, in the order given. */
  readonly varFiles: readonly string[];
  /** Whether to warn of each value of a file that the template does not know. */
  readonly warnOnUndeclaredVariables: boolean;
}

/** Sets the variables: files first, then the command line; the last one wins. */
export async function setVariables(
  target: UserVariables,
  inputs: VariableInputs,
  { problems, warnings }: { problems: ProblemList; warnings: ProblemList },
): Promise<void> {
  for (const file of inputs.varFiles) {
    const warnsOfAll = inputs.warnOnUndeclaredVariables;
    await setFromFile(target, file, { problems, warnings, warnsOfAll });
  }
  for (const { name, value } of inputs.variables) {
    if (!target.has(name)) problems.add(...unknownVariable(name, `-var ${name}`, target));
    problems.addSource(`-var ${name}`, value);
    target.set(name, commandLineText(name, value));
  }
}

async function setFromFile(
  target: UserVariables,
  file: string,
  { problems, warnings, warnsOfAll }: { problems: ProblemList; warnings: ProblemList; warnsOfAll: boolean },
): Promise<void> {
  const text = await readText(file, problems);
  const told = problems.count;
  const root = text === undefined ? undefined : parseJson(file, text, problems);
  if (problems.count > told) hideAssigned(text ?? "", target.sensitiveNames, problems);
  if (root === undefined) {
    target.hasUnreadFile = true;
    return;
  }
  if (root.kind !== "object") {
    problems.add(`A variable file must be an object, not ${describeJson(root)}`, { location: root.location });
    return;
  }
  for (const { key, keyLocation, value } of root.members) {
    // One file may serve several templates: what this one does not know is no
    // mistake, unless it looks like one.
    const isUnknown = !target.has(key) && !warnings.isFull;
    if (isUnknown && (warnsOfAll || nearMiss(key, target.names) !== undefined)) {
      const [message, { hint }] = unknownVariable(key, "the variable file", target);
      warnings.add(message, { location: keyLocation, hint });
    }
    target.set(key, value);
  }
}

function unknownVariable(name: string, origin: string, target: UserVariables): [string, { hint: string }] {
  const meant = nearMiss(name, target.names);
  const hint = meant === undefined ? `Declare it: "variables": {"${name}": ""}` : `Did you mean "${meant}"?`;
  return [`The template has no variable "${name}", which ${origin} sets`, { hint }];
}

/** A value of the command line; a mistake in it is located in the value. */
function commandLineText(name: string, value: string): JsonString {
  const locate = (offset: number) => ({ file: `-var ${name}`, line: 1, column: offset + 1 });
  return { kind: "string", value, location: locate(0), locate };
}
