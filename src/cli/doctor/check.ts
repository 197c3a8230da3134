/** One thing that amibake needs, and whether it is here. */
export interface Check {
  readonly name: string;
  readonly group: CheckGroup;
  readonly status: "ok" | "missing";
  /** What it is needed for. */
  readonly why: string;
  /** What was seen. */
  readonly detail?: string | undefined;
  /** The command or the sentence that mends it. */
  readonly fix?: string | undefined;
  /** The packages that bring it. */
  readonly packages?: Packages | undefined;
}

export const CHECK_GROUPS = {
  host: "For every build",
  ec2: "To bake on AWS",
  permissions: "Permissions on AWS",
  local: "To bake on the local cloud",
  optional: "Optional",
} as const;

export type CheckGroup = keyof typeof CHECK_GROUPS;

/** Names of the package that brings a tool. `undefined`: that distribution does not have it. */
export interface Packages {
  readonly apt: string;
  readonly dnf: string | undefined;
}

/**
 * Whether this host can bake at all: what every build needs, and at least one
 * place to bake on.
 */
export function canBake(checks: readonly Check[]): boolean {
  const canUseAws = isComplete(checks, "ec2") && isComplete(checks, "permissions");
  return isComplete(checks, "host") && (canUseAws || isComplete(checks, "local"));
}

export function isComplete(checks: readonly Check[], group: CheckGroup): boolean {
  return checks.every((check) => check.group !== group || check.status === "ok");
}
