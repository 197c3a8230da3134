import { messageOf, ToolError } from "../../../base/errors.ts";
import type { BuildVariables } from "../../deferred.ts";
import type { RuntimeTexts, RuntimeValue } from "../../plan/located-value.ts";
import { evaluate } from "../evaluate/evaluate.ts";
import { HclError } from "../evaluate/hcl-error.ts";
import { references } from "../evaluate/references.ts";
import { innerScope, type Scope } from "../evaluate/scope.ts";
import type { Expression } from "../syntax/syntax-tree.ts";
import { objectValue, stringValue, unknownValue } from "../values/construct.ts";
import { entriesOf, itemsOf } from "../values/contents.ts";
import { ConversionError } from "../values/conversion-error.ts";
import { convert } from "../values/convert.ts";
import { type HclType, type HclValue, STRING } from "../values/value.ts";

/** What `build` is in the provisioners and post-processors of a build. */
export interface RuntimeScope {
  /** What is known of it before it runs. */
  readonly known: Readonly<Record<string, string>>;
  /** What it gets while it runs. */
  readonly later: readonly string[];
}

/** `build` before a build runs. */
export function plannedBuild({ known, later }: RuntimeScope): HclValue {
  return buildValue(known, Object.fromEntries(later.map((name) => [name, unknownValue(STRING)])));
}

function buildValue(known: Readonly<Record<string, string>>, later: Readonly<Record<string, HclValue>>): HclValue {
  const texts = Object.entries(known).map(([name, text]): [string, HclValue] => [name, stringValue(text)]);
  return objectValue([...Object.entries(later), ...texts]);
}

interface Options {
  readonly scope: Scope;
  readonly runtime?: RuntimeScope | undefined;
}

/**
 * A value that is unknown for want of build variables, as it will be there.
 *
 * @param path of the value in that of the expression.
 * @returns `undefined` if it is unknown for another reason.
 */
export function runtimeValue(
  { type }: HclValue,
  expression: Expression,
  path: readonly (string | number)[],
  { scope, runtime }: Options,
): RuntimeValue | undefined {
  const needs = runtime === undefined ? [] : buildVariablesOf(expression, runtime.later);
  if (runtime === undefined || needs.length === 0) return undefined;
  const valueWith = (variables: BuildVariables): HclValue => {
    const later = needs.map((name): [string, HclValue] => [name, stringValue(variables[name] ?? "")]);
    const build = buildValue(runtime.known, Object.fromEntries(later));
    return partAt(evaluate(expression, innerScope(scope, new Map([["build", build]]))), path);
  };
  const source = shownSource(needs);
  const as = (wanted: HclType): RuntimeTexts => {
    const render = (variables: BuildVariables) => textsOf(convert(valueWith(variables), wanted));
    return { sample: () => sampleOf(render, needs), render: (variables) => evaluated(source, () => render(variables)) };
  };
  return {
    ...{ kind: "runtime", location: expression.range.start, source, needs },
    ...(TEXT_KINDS.has(type.kind) ? { text: as(STRING) } : {}),
    ...(LIST_KINDS.has(type.kind) ? { list: as(LIST_OF_TEXTS) } : {}),
  };
}

const TEXT_KINDS: ReadonlySet<HclType["kind"]> = new Set(["string", "number", "bool", "dynamic"]);
const LIST_KINDS: ReadonlySet<HclType["kind"]> = new Set(["list", "set", "tuple", "dynamic"]);
const LIST_OF_TEXTS: HclType = { kind: "list", element: STRING };

function textsOf(value: HclValue): readonly string[] {
  const parts = Array.isArray(value.content) ? itemsOf(value) : [value];
  return parts.map(({ content }) => {
    if (typeof content === "string") return content;
    throw new ConversionError("it must be a text, not null", { path: [], wanted: STRING });
  });
}

function evaluated<Result>(source: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof HclError) && !(error instanceof ConversionError)) throw error;
    throw new ToolError("ERR_TEMPLATE_RENDER", `Cannot evaluate ${source}: ${messageOf(error)}`, { hint: error.hint });
  }
}

/** What the expression uses of `build`; all of it if it does not say. */
export function buildVariablesOf(expression: Expression, later: readonly string[]): string[] {
  const names = references(expression)
    .filter(({ path }) => path[0] === "build")
    .flatMap(({ path: [, name] }) => (name === undefined ? later : [name]));
  return [...new Set(names)].filter((name) => later.includes(name)).sort();
}

function shownSource(needs: readonly string[]): string {
  return `"${needs.map((name) => `\${build.${name}}`).join(" ")}"`;
}

/** Not every expression takes a word for what will be there. */
function sampleOf(
  render: (variables: BuildVariables) => readonly string[],
  needs: readonly string[],
): readonly string[] | undefined {
  try {
    return render(Object.fromEntries(needs.map((name) => [name, name])));
  } catch (error) {
    if (error instanceof HclError || error instanceof ConversionError) return undefined;
    throw error;
  }
}

function partAt(value: HclValue, path: readonly (string | number)[]): HclValue {
  let part = value;
  for (const step of path) {
    const inner = typeof step === "number" ? itemsOf(part)[step] : entriesOf(part).get(step);
    if (inner === undefined) return convert(part, STRING);
    part = inner;
  }
  return part;
}
