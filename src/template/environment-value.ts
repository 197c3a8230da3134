/** A variable of the environment, empty if it is not set: `constructor` is one only if somebody has set it. */
export function environmentValue(environment: Readonly<Record<string, string | undefined>>, name: string): string {
  return Object.hasOwn(environment, name) ? (environment[name] ?? "") : "";
}
