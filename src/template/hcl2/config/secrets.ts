import type { ProblemList } from "../../../base/problems.ts";
import { SECRET_LENGTH_MIN } from "../../../base/secrets.ts";
import type { SourceLocation } from "../../../base/source-location.ts";
import { partsOf, rationalIn } from "../values/contents.ts";
import { numberText } from "../values/number-text.ts";
import type { HclValue } from "../values/value.ts";

interface SecretOptions {
  readonly secrets: Set<string>;
  readonly warnings: ProblemList;
  /** `variable "key"` */
  readonly what: string;
  readonly location: SourceLocation;
}

/** Every text and number in a value is a secret from now on. Names of attributes are not. */
export function addSecrets(value: HclValue, { secrets, warnings, what, location }: SecretOptions): void {
  for (const text of textsIn(value)) {
    if (text === "") continue;
    secrets.add(text);
    if (text.length >= SECRET_LENGTH_MIN) continue;
    const message = `The sensitive ${what} is not hidden in output: a value of it has fewer than ${SECRET_LENGTH_MIN} characters`;
    warnings.add(message, { location });
  }
}

export function textsIn(value: HclValue): string[] {
  if (typeof value.content === "string") return [value.content];
  if (value.type.kind === "number" && typeof value.content === "object" && value.content !== null) {
    return [numberText(rationalIn(value))];
  }
  return partsOf(value).flatMap(textsIn);
}
