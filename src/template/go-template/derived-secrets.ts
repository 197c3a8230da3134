import { SECRET_LENGTH_MIN } from "../../base/secrets.ts";
import { type TemplateFunction, watchCalls } from "./template-function.ts";

/** Hides a value. Of one that is a template, what stands around its expressions is what others will see. */
export function addSecret(secrets: Set<string>, value: string): void {
  if (value === "") return;
  secrets.add(value);
  const texts = value.split(/\{\{.*?\}\}/s);
  if (texts.length > 1) for (const text of texts.filter(hides)) secrets.add(text);
}

/** The same functions, which add what they make of a secret to the secrets: `upper` of a password is as good as the password. */
export function withDerivedSecrets(
  functions: ReadonlyMap<string, TemplateFunction>,
  secrets: Set<string>,
): Map<string, TemplateFunction> {
  const isSecret = (value: unknown): value is string =>
    typeof value === "string" && [...secrets].some((secret) => hides(secret) && value.includes(secret));
  return watchCalls(functions, (result, values) => {
    // One that still has the secret in it is hidden where it has it.
    if (typeof result === "string" && hides(result) && values.some(isSecret) && !isSecret(result)) secrets.add(result);
  });
}

function hides(secret: string): boolean {
  return secret.length >= SECRET_LENGTH_MIN;
}
