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
  /** Which ways to bake need it, if not those of its group. */
  readonly ways?: readonly Way[] | undefined;
}

/** Groups, as they are shown. */
export const CHECK_GROUPS = {
  host: "For every build",
  ec2: "To bake with amazon-chroot on AWS",
  direct: "To bake with amazon-direct",
  permissions: "Permissions on AWS",
  local: "To bake on the local cloud",
  optional: "Optional",
} as const;

/** Ways to bake; a host needs one. */
export const WAYS = {
  "amazon-chroot": "with amazon-chroot on AWS",
  "amazon-direct": "with amazon-direct",
  local: "on the local cloud (--local)",
} as const;

export type Way = keyof typeof WAYS;

const ALL_WAYS = Object.keys(WAYS) as Way[];

const WAYS_OF_GROUP: Readonly<Record<CheckGroup, readonly Way[]>> = {
  host: ALL_WAYS,
  ec2: ["amazon-chroot"],
  direct: ["amazon-direct"],
  permissions: ["amazon-chroot", "amazon-direct"],
  local: ["local"],
  optional: [],
};

export type CheckGroup = keyof typeof CHECK_GROUPS;

/** Names of the packages that bring a tool. `undefined`: that distribution does not have it. */
export interface Packages {
  readonly apt: string | readonly string[];
  readonly dnf: string | undefined;
}

/** The ways in which this host can bake. */
export function waysToBake(checks: readonly Check[]): Way[] {
  const missing = checks.filter(({ status }) => status === "missing");
  const closed = new Set(missing.flatMap(({ ways, group }) => ways ?? WAYS_OF_GROUP[group]));
  return ALL_WAYS.filter((way) => !closed.has(way));
}
