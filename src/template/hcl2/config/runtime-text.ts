import { messageOf, ToolError } from "../../../base/errors.ts";
import type { BuildVariables } from "../../deferred.ts";
import type { RuntimeText } from "../../plan/located-value.ts";
import { evaluate } from "../evaluate/evaluate.ts";
import { HclError } from "../evaluate/hcl-error.ts";
import { references } from "../evaluate/references.ts";
import { innerScope, type Scope } from "../evaluate/scope.ts";
import type { Expression } from "../syntax/syntax-tree.ts";
import { objectValue, stringValue, unknownValue } from "../values/construct.ts";
import { entriesOf, itemsOf } from "../values/contents.ts";
import { ConversionError } from "../values/conversion-error.ts";
import { convert } from "../values/convert.ts";
import { type HclValue, STRING } from "../values/value.ts";

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
 * A value that is unknown for want of build variables, as text that will be there.
 *
 * @param path of the value in that of the expression.
 * @returns `undefined` if it is unknown for another reason, or is no text.
 */
export function runtimeText(
  { type }: HclValue,
  expression: Expression,
  path: readonly (string | number)[],
  { scope, runtime }: Options,
): RuntimeText | undefined {
  const needs = runtime === undefined ? [] : buildVariablesOf(expression, runtime.later);
  const isText = type.kind === "string" || type.kind === "number" || type.kind === "bool" || type.kind === "dynamic";
  if (runtime === undefined || needs.length === 0 || !isText) return undefined;
  const render = (variables: BuildVariables): string => {
    const later = needs.map((name): [string, HclValue] => [name, stringValue(variables[name] ?? "")]);
    const build = buildValue(runtime.known, Object.fromEntries(later));
    const value = evaluate(expression, innerScope(scope, new Map([["build", build]])));
    const { content } = convert(partAt(value, path), STRING);
    return typeof content === "string" ? content : "";
  };
  const source = shownSource(needs);
  return {
    kind: "runtime",
    location: expression.range.start,
    source,
    needs,
    sample: sampleOf(render, needs),
    render(variables) {
      try {
        return render(variables);
      } catch (error) {
        if (!(error instanceof HclError) && !(error instanceof ConversionError)) throw error;
        throw new ToolError("ERR_TEMPLATE_RENDER", `Cannot evaluate ${source}: ${messageOf(error)}`, {
          hint: error.hint,
        });
      }
    },
  };
}

/** What the expression uses of `build`; all of it if it does not say. */
function buildVariablesOf(expression: Expression, later: readonly string[]): string[] {
  const names = references(expression)
    .filter(({ path }) => path[0] === "build")
    .flatMap(({ path: [, name] }) => (name === undefined ? later : [name]));
  return [...new Set(names)].filter((name) => later.includes(name)).sort();
}

function shownSource(needs: readonly string[]): string {
  return `"${needs.map((name) => `\${build.${name}}`).join(" ")}"`;
}

/** Not every expression takes a word for what will be there. */
function sampleOf(render: (variables: BuildVariables) => string, needs: readonly string[]): string | undefined {
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
