import { describeJson, type JsonObject, type JsonString, type JsonValue } from "../../base/json/json-value.ts";
import type { ProblemList } from "../../base/problems.ts";
import type { SourceLocation } from "../../base/source-location.ts";
import { nearMiss } from "../../base/suggest.ts";
import type { TemplateScope } from "../go-template/bind.ts";
import { ABSENT_FUNCTIONS } from "../go-template/functions.ts";
import { type TemplateFunction, TemplateFunctionError } from "../go-template/template-function.ts";
import type { TextBudget } from "../go-template/text-budget.ts";
import { evaluateText } from "../plan/conform.ts";

// Each level is some calls deeper.
const DEPTH_MAX = 100;

/** A variable that the template declares. */
interface Declaration {
  readonly location: SourceLocation;
  /** Missing for a required variable that nobody has set. */
  value: JsonString | undefined;
  /** Whether the value comes from outside of the template. */
  isGiven: boolean;
}

/**
 * The user variables of a template. A value may use others with `user`; each is
 * evaluated once, when it is first wanted.
 */
export class UserVariables {
  readonly #declarations = new Map<string, Declaration>();
  readonly #values = new Map<string, string>();
  /** Those without a value that can be used, which has been told. */
  readonly #broken = new Set<string>();
  /** What is being evaluated now, to find circles. */
  readonly #underWay: string[] = [];
  /** Of the "variables" section, once they are being evaluated. */
  #scope: TemplateScope | undefined;
  readonly #problems: ProblemList;
  readonly #mayLackValues: boolean;
  /** Whether a file of values could not be read: nobody knows what it would have set. */
  hasUnreadFile = false;
  readonly sensitiveNames: ReadonlySet<string>;

  /** @param options.mayLackValues whether a required variable that nobody has set is a problem only where it is used. */
  constructor(
    declared: JsonObject | undefined,
    problems: ProblemList,
    { mayLackValues = false, sensitiveNames }: { mayLackValues?: boolean; sensitiveNames: ReadonlySet<string> },
  ) {
    this.#problems = problems;
    this.#mayLackValues = mayLackValues;
    this.sensitiveNames = sensitiveNames;
    for (const { key, keyLocation, value } of declared?.members ?? []) {
      this.#declarations.set(key, {
        location: keyLocation,
        value: value.kind === "null" ? undefined : this.#textOf(key, value),
        isGiven: false,
      });
    }
  }

  get names(): Iterable<string> {
    return this.#declarations.keys();
  }

  has(name: string): boolean {
    return this.#declarations.has(name);
  }

  /** Gives a declared variable another value. The last one wins. */
  set(name: string, value: JsonValue): void {
    const declaration = this.#declarations.get(name);
    if (declaration === undefined) return;
    this.#broken.delete(name);
    declaration.value = this.#textOf(name, value);
    declaration.isGiven = true;
  }

  /** Evaluates every variable. `functions` are those of the "variables" section; its `user` asks `valueOf`. */
  evaluate(functions: ReadonlyMap<string, TemplateFunction>, budget?: TextBudget): void {
    const scope = {
      functions,
      budget,
      absentFunctions: ABSENT_FUNCTIONS,
      fields: new Set<string>(),
      hasBuildFunction: false,
      known: {},
      leavesFields: true,
    };
    this.#scope = scope;
    for (const [name, { location, value }] of this.#declarations) {
      if (value === undefined) this.#complainOfUnset(name, location);
      this.#evaluateOne(name, scope);
    }
  }

  /** The value of an evaluated variable, if it has one. */
  find(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** What a variable is set to, before it is evaluated. */
  sourceOf(name: string): string | undefined {
    return this.#declarations.get(name)?.value?.value;
  }

  /**
   * The value of a variable, which is evaluated now if it is not yet.
   *
   * @throws {TemplateFunctionError} if it is not declared or has no value.
   */
  valueOf(name: string): string {
    if (this.#scope !== undefined) this.#evaluateOne(name, this.#scope);
    const value = this.#values.get(name);
    if (value !== undefined) return value;
    if (this.#broken.has(name)) {
      const hint = `Give it one: -var '${name}=...'`;
      // What is wrong with a value has been told; that there is none may not have been.
      const isTold = !this.#mayLackValues || this.#declarations.get(name)?.value !== undefined;
      throw new TemplateFunctionError(`The variable "${name}" has no value`, { hint, isTold });
    }
    const meant = nearMiss(name, this.names);
    const hint = meant === undefined ? `Declare it: "variables": {"${name}": ""}` : `Did you mean "${meant}"?`;
    throw new TemplateFunctionError(`Unknown user variable "${name}"`, { hint });
  }

  #evaluateOne(name: string, scope: TemplateScope): void {
    const declaration = this.#declarations.get(name);
    if (declaration === undefined || this.#values.has(name) || this.#broken.has(name)) return;
    if (this.#underWay.includes(name)) {
      const circle = [...this.#underWay.slice(this.#underWay.indexOf(name)), name];
      const names = circle.map((part) => `"${part}"`).join(" uses ");
      throw new TemplateFunctionError(`User variables go in a circle: ${names}`);
    }
    if (this.#underWay.length >= DEPTH_MAX) {
      throw new TemplateFunctionError(`User variables use each other more than ${DEPTH_MAX} deep`);
    }
    this.#underWay.push(name);
    const value = this.#textValue(name, declaration, scope);
    this.#underWay.pop();
    if (value === undefined) this.#broken.add(name);
    else this.#values.set(name, value);
  }

  #textValue(name: string, { value, location, isGiven }: Declaration, scope: TemplateScope): string | undefined {
    if (value === undefined) {
      this.#complainOfUnset(name, location);
      return undefined;
    }
    const text = evaluateText(value, { scope, problems: this.#problems });
    // What is wrong in it quotes it. The template's own expressions are no secrets.
    if (text === undefined && isGiven && this.sensitiveNames.has(name)) this.#problems.hideText(value.value);
    return text;
  }

  #complainOfUnset(name: string, location: SourceLocation): void {
    if (this.#mayLackValues || this.hasUnreadFile) return;
    this.#problems.add(`The variable "${name}" has no value`, { location, hint: `Give it one: -var '${name}=...'` });
  }

  #textOf(name: string, value: JsonValue): JsonString | undefined {
    if (value.kind === "string") return value;
    const location = value.location;
    // Of a variable file; in the template it says that there is no default.
    if (value.kind === "null") return { kind: "string", value: "", location, locate: () => location };
    if (value.kind === "number" || value.kind === "boolean") {
      const text = value.kind === "number" ? value.text : String(value.value);
      return { kind: "string", value: text, location, locate: () => location };
    }
    this.#problems.add(`The variable "${name}" must be a string, not ${describeJson(value)}`, { location });
    if (this.sensitiveNames.has(name)) for (const text of textsOf(value)) this.#problems.hideText(text);
    this.#broken.add(name);
    return { kind: "string", value: "", location, locate: () => location };
  }
}

function textsOf(value: JsonValue): string[] {
  switch (value.kind) {
    case "array":
      return value.items.flatMap(textsOf);
    case "object":
      return value.members.flatMap((member) => [member.key, ...textsOf(member.value)]);
    case "string":
      return [value.value];
    case "number":
      return [value.text];
    default:
      return [];
  }
}
