import type { HclFunction } from "../functions/hcl-function.ts";
import type { HclValue } from "../values/value.ts";
import type { EvaluationBudget } from "./evaluation-budget.ts";

/** What the names in an expression are. */
export interface Scope {
  readonly variables: ReadonlyMap<string, HclValue>;
  readonly functions: ReadonlyMap<string, HclFunction>;
  /** Where names are looked up that this scope does not have. */
  readonly parent?: Scope;
  /** Shared by all scopes of a template. Without it each expression has one of its own. */
  readonly budget?: EvaluationBudget;
  /** The names that stand for what must not be shown: `var.password`, and the locals that use it. Shared likewise. */
  readonly sensitiveNames?: Set<string>;
  /** Whether the data sources have been asked: then only what comes of a build is unknown. */
  readonly hasData?: boolean;
}

/** A scope in which more names are there. */
export function innerScope(parent: Scope, variables: ReadonlyMap<string, HclValue>): Scope {
  const { functions, budget, sensitiveNames, hasData } = parent;
  return {
    ...{ variables, functions, parent },
    ...(budget === undefined ? {} : { budget }),
    ...(sensitiveNames === undefined ? {} : { sensitiveNames }),
    ...(hasData === undefined ? {} : { hasData }),
  };
}

export function findVariable(scope: Scope, name: string): HclValue | undefined {
  for (let current: Scope | undefined = scope; current !== undefined; current = current.parent) {
    const value = current.variables.get(name);
    if (value !== undefined) return value;
  }
  return undefined;
}

export function findFunction(scope: Scope, name: string): HclFunction | undefined {
  for (let current: Scope | undefined = scope; current !== undefined; current = current.parent) {
    const found = current.functions.get(name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** All names that could be meant, the nearest scope first. */
export function variableNames(scope: Scope): string[] {
  const names = new Set<string>();
  for (let current: Scope | undefined = scope; current !== undefined; current = current.parent) {
    for (const name of current.variables.keys()) names.add(name);
  }
  return [...names];
}

export function functionNames(scope: Scope): string[] {
  const names = new Set<string>();
  for (let current: Scope | undefined = scope; current !== undefined; current = current.parent) {
    for (const name of current.functions.keys()) names.add(name);
  }
  return [...names];
}
