import { SECRET_LENGTH_MIN } from "../../base/secrets.ts";
import { type TemplateFunction, watchCalls } from "./template-function.ts";

/** Hides a value. Of one that is a template, what stands around its expressions is what others will see. */
export function addSecret(secrets: Set<string>, value: string): void {
  if (value === "") return;
  secrets.add(value);
  const texts = value.split(/\{\{.*?\}\}/s);
  if (texts.length > 1) for (const text of texts.filter(hides)) secrets.add(text);
}

/** What is known of the secrets while a template is read. */
export interface SecretWatch {
  /** Whether a text has a secret in it. */
  readonly isSecret: (text: string) => boolean;
  /** Hides what was made of a text, if that was a secret: it may be shown without the rest. */
  readonly derive: (text: string, made: Iterable<string>) => void;
}

export function watchSecrets(secrets: Set<string>): SecretWatch {
  const isSecret = (text: string) => [...secrets].some((secret) => hides(secret) && text.includes(secret));
  const derive = (text: string, made: Iterable<string>) => {
    if (!isSecret(text)) return;
    for (const one of made) if (hides(one) && !isSecret(one)) secrets.add(one);
  };
  return { isSecret, derive };
}

/** The same functions, which add what they make of a secret to the secrets: `upper` of a password is as good as the password. */
export function withDerivedSecrets(
  functions: ReadonlyMap<string, TemplateFunction>,
  { derive }: SecretWatch,
): Map<string, TemplateFunction> {
  return watchCalls(functions, (result, values) => {
    // One that still has the secret in it is hidden where it has it.
    if (typeof result !== "string") return;
    for (const value of values) if (typeof value === "string") derive(value, [result]);
  });
}

function hides(secret: string): boolean {
  return secret.length >= SECRET_LENGTH_MIN;
}
