import { describeJson, type JsonMember, type JsonObject, type JsonValue } from "../../base/json/json-value.ts";
import type { ProblemList } from "../../base/problems.ts";
import type { SourceLocation } from "../../base/source-location.ts";
import { nearMiss } from "../../base/suggest.ts";

/** Which numbers a field takes. */
export interface NumberRange {
  readonly min: number;
  readonly max: number;
  readonly isWhole: boolean;
}

/** @returns undefined if it is no object; the problems say so. */
export function fieldsOf(json: JsonValue, label: string, problems: ProblemList): Fields | undefined {
  if (json.kind === "object") return new Fields(json, label, problems);
  const message = `${capital(label)} must be an object, not ${describeJson(json)}`;
  problems.add(message, { location: json.location });
  return undefined;
}

/** The members of an object, read one by one. What is wrong with them goes to the problems. */
export class Fields {
  readonly #json: JsonObject;
  readonly #label: string;
  readonly #problems: ProblemList;

  constructor(json: JsonObject, label: string, problems: ProblemList) {
    this.#json = json;
    this.#label = label;
    this.#problems = problems;
  }

  member(key: string): JsonMember | undefined {
    return this.#json.members.find((member) => member.key === key);
  }

  checkKeys(known: readonly string[]): void {
    for (const { key, keyLocation } of this.#json.members) {
      if (known.includes(key)) continue;
      this.complain(`Unknown key ${quote(key)} of ${this.#label}`, keyLocation, suggestion(key, known));
    }
  }

  number(key: string, range: NumberRange): number | undefined {
    const value = this.member(key)?.value;
    return value === undefined ? undefined : this.#number(key, value, range);
  }

  /** A number, or a list of them. */
  numbers(key: string, range: NumberRange): number[] | undefined {
    const value = this.member(key)?.value;
    return value === undefined ? undefined : itemsOf(value).flatMap((item) => this.#number(key, item, range) ?? []);
  }

  text(key: string): string | undefined {
    const value = this.member(key)?.value;
    if (value === undefined || value.kind === "string") return value?.value;
    this.complain(`"${key}" must be text, not ${describeJson(value)}`, value.location);
    return undefined;
  }

  /** A text, or a list of them. */
  strings(key: string, check: (text: string, location: SourceLocation) => void): string[] | undefined {
    const value = this.member(key)?.value;
    if (value === undefined) return undefined;
    return itemsOf(value).flatMap((item) => {
      if (item.kind === "string") check(item.value, item.location);
      else this.complain(`"${key}" must be text or a list of it, not ${describeJson(item)}`, item.location);
      return item.kind === "string" ? [item.value] : [];
    });
  }

  complain(message: string, location: SourceLocation = this.#json.location, hint?: string): void {
    this.#problems.add(message, { location, hint });
  }

  #number(key: string, value: JsonValue, { min, max, isWhole }: NumberRange): number | undefined {
    if (value.kind === "number" && value.value >= min && value.value <= max) {
      if (!isWhole || Number.isInteger(value.value)) return value.value;
    }
    const what = isWhole ? "a whole number" : "a number";
    this.complain(`"${key}" must be ${what} from ${min} to ${max}, not ${describeJson(value)}`, value.location);
    return undefined;
  }
}

function itemsOf(value: JsonValue): readonly JsonValue[] {
  return value.kind === "array" ? value.items : [value];
}

export function suggestion(word: string, candidates: readonly string[]): string | undefined {
  const meant = nearMiss(word, candidates);
  return meant === undefined ? undefined : `Did you mean "${meant}"?`;
}

export function quote(text: string): string {
  return JSON.stringify(text);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
