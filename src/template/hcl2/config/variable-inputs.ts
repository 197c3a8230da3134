// The values of variables that come from outside the template, the weakest first: the environment, the variable files that
// are found, those that are named, and the command line.
import type { JsonValue } from "../../../base/json/json-value.ts";
import { describeJson } from "../../../base/json/json-value.ts";
import { parseJson } from "../../../base/json/parse-json.ts";
import type { ProblemList } from "../../../base/problems.ts";
import type { SourceLocation } from "../../../base/source-location.ts";
import { nearMiss } from "../../../base/suggest.ts";
import { hideAssigned } from "../../hide-assigned.ts";
import { readText } from "../../read-text.ts";
import { parseHcl, parseHclExpression } from "../syntax/parse-hcl.ts";
import { stringValue } from "../values/construct.ts";
import type { ValuePath } from "../values/conversion-error.ts";
import { valueOfJson } from "../values/json.ts";
import type { HclValue } from "../values/value.ts";
import { type Evaluation, tryEvaluate } from "./evaluation.ts";
import { partOfExpression, partOfJson } from "./locate-part.ts";
import { isName, NAME_HINT } from "./names.ts";
import { isJsonFile } from "./template-files.ts";
import type { InputVariable } from "./variables.ts";

export interface HclVariableInputs {
  /** Of `-var`, in the order given. */
  readonly variables: readonly { readonly name: string; readonly value: string }[];
  /** Of `-var-file`, in the order given. */
  readonly varFiles: readonly string[];
  /** Those beside the template. */
  readonly autoVarFiles: readonly string[];
  /** With `PKR_VAR_name`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether to warn of each value of a file that the template does not know. */
  readonly warnOnUndeclaredVariables: boolean;
}

/** A value that somebody has given a variable; not yet of its type. */
export interface GivenValue {
  readonly name: string;
  /** "wrong" if it has none, which has been told. */
  readonly value: HclValue | "wrong";
  readonly location: SourceLocation;
  /** Where a part of the value stands. Missing for what a file does not write. */
  readonly locate?: (path: ValuePath) => SourceLocation;
}

interface Target {
  readonly declared: ReadonlyMap<string, InputVariable>;
  readonly evaluation: Evaluation;
  readonly warnings: ProblemList;
  /** Filled with texts of sensitive variables that are still to be parsed. */
  readonly secrets: Set<string>;
}

/**
 * Every value that is given to a variable of the template; the last one wins.
 *
 * @param target.evaluation of values of files, which can use nothing.
 */
export async function collectGivenValues(
  inputs: HclVariableInputs,
  target: Target,
): Promise<{ given: GivenValue[]; hasUnreadFile: boolean }> {
  const { problems } = target.evaluation;
  const given = fromEnvironment(inputs.environment, target);
  let hasUnreadFile = false;
  for (const file of [...inputs.autoVarFiles, ...inputs.varFiles]) {
    const told = problems.count;
    const entries = await readVarFile(file, target);
    if (problems.count > told) hasUnreadFile = true;
    for (const entry of entries) {
      if (target.declared.has(entry.name)) given.push({ ...entry, value: entry.evaluate() ?? "wrong" });
      else warnOfUndeclared(entry.name, entry.nameLocation, target, inputs.warnOnUndeclaredVariables);
    }
  }
  for (const { name, value } of inputs.variables) {
    const variable = target.declared.get(name);
    if (variable === undefined) problems.add(...undeclared(name, `-var ${name}`, target.declared));
    else given.push(fromText(variable, value, `-var ${name}`, target));
  }
  return { given, hasUnreadFile };
}

const PREFIX = "PKR_VAR_";

function fromEnvironment(environment: HclVariableInputs["environment"], target: Target): GivenValue[] {
  return Object.entries(environment).flatMap(([key, value]) => {
    const variable = key.startsWith(PREFIX) ? target.declared.get(key.slice(PREFIX.length)) : undefined;
    return variable === undefined || value === undefined ? [] : [fromText(variable, value, key, target)];
  });
}

/** What is to be a text or a number, and what may be anything, is taken as it stands; all else is an expression. */
function fromText(variable: InputVariable, text: string, origin: string, { evaluation, secrets }: Target): GivenValue {
  const { name, isSensitive } = variable;
  // What is said of its syntax may quote it.
  if (isSensitive && text !== "") secrets.add(text);
  const location = { file: origin, line: 1, column: 1 };
  if (isLiteral(variable)) return { name, value: stringValue(text), location };
  if (variable.type?.kind === "bool" && isOtherWord(text)) {
    const shown = isSensitive ? "" : `, not "${text}"`;
    evaluation.problems.add(`The variable "${name}" must be true or false${shown}`, { location });
    return { name, value: "wrong", location };
  }
  const expression = parseHclExpression(origin, text, evaluation.problems);
  const value = expression === undefined ? undefined : tryEvaluate(expression, evaluation);
  if (value === undefined && isSensitive) evaluation.problems.hideText(text);
  return { name, value: value ?? "wrong", location };
}

/** "yes", which would else be told as a name that nobody knows. */
function isOtherWord(text: string): boolean {
  return /^[A-Za-z]+$/.test(text) && !["true", "false", "null"].includes(text);
}

/** As in Packer: a default says that its type matters, even if it is `null` and so does not say which. */
function isLiteral({ type, defaultValue }: InputVariable): boolean {
  if (type === undefined) return defaultValue === undefined || defaultValue === "wrong";
  return type.kind === "string" || type.kind === "number";
}

interface FileEntry {
  readonly name: string;
  readonly nameLocation: SourceLocation;
  readonly location: SourceLocation;
  readonly locate: (path: ValuePath) => SourceLocation;
  readonly evaluate: () => HclValue | undefined;
}

async function readVarFile(file: string, { evaluation, declared }: Target): Promise<FileEntry[]> {
  const { problems } = evaluation;
  const text = await readText(file, problems);
  if (text === undefined) return [];
  const sensitive = [...declared.values()].filter(({ isSensitive }) => isSensitive).map(({ name }) => name);
  const told = problems.count;
  const entries = readEntries(file, text, evaluation).map((entry) => ({
    ...entry,
    evaluate() {
      const value = entry.evaluate();
      if (value === undefined && sensitive.includes(entry.name)) hideAssigned(text, [entry.name], problems);
      return value;
    },
  }));
  if (problems.count > told) hideAssigned(text, sensitive, problems);
  return entries;
}

function readEntries(file: string, text: string, evaluation: Evaluation): FileEntry[] {
  const { problems } = evaluation;
  if (isJsonFile(file)) return jsonEntries(parseJson(file, text, problems), problems);
  if (!file.endsWith(".hcl")) {
    problems.add(`The name of the variable file "${file}" ends in neither ".hcl" nor ".json"`, {
      hint: `Name it "${file.replace(/\.[^./]*$/, "")}.pkrvars.hcl"`,
    });
    return [];
  }
  const body = parseHcl(file, text, problems);
  for (const { type, typeRange } of body?.blocks ?? []) {
    const hint = type === "variable" ? "Declare variables in a .pkr.hcl file; here, write name = value" : undefined;
    problems.add("A variable file has no blocks in it", { location: typeRange.start, hint });
  }
  return [...(body?.attributes.values() ?? [])].map(({ name, nameRange, value }) => ({
    name,
    nameLocation: nameRange.start,
    location: value.range.start,
    locate: (path) => partOfExpression(value, path).range.start,
    evaluate: () => tryEvaluate(value, evaluation),
  }));
}

/** Texts of such a file are no templates, as in Packer. */
function jsonEntries(root: JsonValue | undefined, problems: ProblemList): FileEntry[] {
  if (root === undefined) return [];
  if (root.kind !== "object") {
    problems.add(`A variable file must be an object, not ${describeJson(root)}`, { location: root.location });
    return [];
  }
  return root.members.map(({ key, keyLocation, value }) => ({
    name: key,
    nameLocation: keyLocation,
    location: value.location,
    locate: (path) => partOfJson(value, path).location,
    evaluate: () => valueOfJson(value),
  }));
}

/** One file may serve several templates: what this one does not know is no mistake, unless it looks like one. */
function warnOfUndeclared(
  name: string,
  location: SourceLocation,
  { declared, warnings }: Target,
  warnsOfAll: boolean,
): void {
  if (warnings.isFull || !(warnsOfAll || nearMiss(name, declared.keys()) !== undefined)) return;
  const [message, { hint }] = undeclared(name, "the variable file", declared);
  warnings.add(message, { location, hint });
}

function undeclared(
  name: string,
  origin: string,
  declared: ReadonlyMap<string, InputVariable>,
): [string, { hint: string }] {
  const meant = nearMiss(name.trim(), declared.keys());
  const declaration = isName(name) ? `Declare it: variable "${name}" {}` : NAME_HINT;
  const hint = meant === undefined ? declaration : `Did you mean "${meant}"?`;
  return [`The template has no variable "${name}", which ${origin} sets`, { hint }];
}
