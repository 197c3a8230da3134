import { nearMiss } from "../../base/suggest.ts";
import type { TemplateScope } from "../go-template/bind.ts";
import { ABSENT_FUNCTIONS } from "../go-template/functions.ts";
import { type TemplateFunction, TemplateFunctionError } from "../go-template/template-function.ts";
import type { SourceLocation } from "../source-location.ts";
import type { ProblemList } from "../template-error.ts";
import { evaluateText } from "./conform.ts";
import { describeJson, type JsonObject, type JsonString, type JsonValue } from "./json-value.ts";

/** A variable that the template declares. */
interface Declaration {
  readonly location: SourceLocation;
  /** Missing for a required variable that nobody has set. */
  value: JsonString | undefined;
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
  readonly #problems: ProblemList;

  constructor(declared: JsonObject | undefined, problems: ProblemList) {
    this.#problems = problems;
    for (const { key, keyLocation, value } of declared?.members ?? []) {
      this.#declarations.set(key, {
        location: keyLocation,
        value: value.kind === "null" ? undefined : this.#textOf(key, value),
      });
    }
  }

  get names(): readonly string[] {
    return [...this.#declarations.keys()];
  }

  /** Gives a declared variable another value. The last one wins. */
  set(name: string, value: JsonValue): void {
    const declaration = this.#declarations.get(name);
    if (declaration === undefined) return;
    this.#broken.delete(name);
    declaration.value = this.#textOf(name, value);
  }

  /** Evaluates every variable. `functions` are those of the "variables" section, without `user`. */
  evaluate(functions: ReadonlyMap<string, TemplateFunction>): void {
    const user: TemplateFunction = {
      parameters: ["text"],
      usage: "user `name`",
      summary: "The value of another user variable",
      call: (name: string) => {
        this.#evaluateOne(name, scope);
        return this.valueOf(name);
      },
    };
    const scope: TemplateScope = {
      functions: new Map([...functions, ["user", user]]),
      absentFunctions: ABSENT_FUNCTIONS,
      fields: new Set(),
      hasBuildFunction: false,
      known: {},
    };
    for (const [name, { location, value }] of this.#declarations) {
      if (value === undefined) {
        this.#problems.add(`The variable "${name}" has no value`, {
          location,
          hint: `Give it one: -var '${name}=...'`,
        });
      }
      this.#evaluateOne(name, scope);
    }
  }

  /** The value of an evaluated variable, if it has one. */
  find(name: string): string | undefined {
    return this.#values.get(name);
  }

  /**
   * The value of an evaluated variable.
   *
   * @throws {TemplateFunctionError} if it is not declared or has no value.
   */
  valueOf(name: string): string {
    const value = this.#values.get(name);
    if (value !== undefined) return value;
    if (this.#broken.has(name)) {
      throw new TemplateFunctionError(`The variable "${name}" has no value`, { isTold: true });
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
    this.#underWay.push(name);
    const value = this.#textValue(name, declaration, scope);
    this.#underWay.pop();
    if (value === undefined) this.#broken.add(name);
    else this.#values.set(name, value);
  }

  #textValue(name: string, { value, location }: Declaration, scope: TemplateScope): string | undefined {
    if (value !== undefined) return evaluateText(value, { scope, problems: this.#problems });
    const hint = `Give it one: -var '${name}=...'`;
    this.#problems.add(`The variable "${name}" has no value`, { location, hint });
    return undefined;
  }

  #textOf(name: string, value: JsonValue): JsonString | undefined {
    if (value.kind === "string") return value;
    const location = value.location;
    if (value.kind === "number" || value.kind === "boolean") {
      const text = value.kind === "number" ? value.text : String(value.value);
      return { kind: "string", value: text, location, locate: () => location };
    }
    this.#problems.add(`The variable "${name}" must be a string, not ${describeJson(value)}`, { location });
    this.#broken.add(name);
    return { kind: "string", value: "", location, locate: () => location };
  }
}
