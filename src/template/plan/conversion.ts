import type { JsonBoolean, JsonNumber } from "../../base/json/json-value.ts";

/** What becomes of a value where a schema wants one of another type: each language has its own rules. */
export interface Conversion {
  /**
   * Whether texts are evaluated before they become numbers and booleans, and whether what is no list becomes one: a text is
   * then what stands between its commas.
   */
  readonly isWeak: boolean;
  readonly toText: (value: JsonNumber | JsonBoolean) => string;
  /** @returns `undefined` if it is none. */
  readonly toNumber: (content: string | number | boolean) => number | undefined;
  /** @returns `undefined` if it is none; an empty text for one that says nothing. */
  readonly toBoolean: (content: string | number | boolean) => boolean | "" | undefined;
}
