import { type FaultName, faultKind } from "../../src/local-cloud/faults/fault-kinds.ts";
import type { FaultRule } from "../../src/local-cloud/faults/fault-plan.ts";
import { BUILD_KINDS, type BuildKind } from "./crash-plan.ts";

/** One cell of the matrix: one fault at one call of one build. */
export interface FaultCase {
  /** "reset-after at the last DescribeVolumes of a failing build" */
  readonly name: string;
  readonly build: BuildKind;
  /** The first is the fault; others come with it. */
  readonly rules: readonly FaultRule[];
  /** How fast the clock of the build runs. */
  readonly speed: number;
}

/** How often an undisturbed build of each kind makes each call. */
export type CallCounts = Readonly<Record<BuildKind, ReadonlyMap<string, number>>>;

/** Every call that a build could make; those that it does make are found by counting. */
export const COUNTED_ACTIONS = [
  ...["GetCallerIdentity", "DescribeInstances", "DescribeImages", "DescribeImageAttribute", "DescribeTags"],
  ...["CreateVolume", "DescribeVolumes", "AttachVolume", "DetachVolume", "DeleteVolume"],
  ...["CreateSnapshot", "DescribeSnapshots", "DeleteSnapshot"],
  ...["CopyImage", "RegisterImage", "ModifyImageAttribute", "DeregisterImage", "CreateTags", "DeleteTags"],
  ...["ListSnapshotBlocks", "GetSnapshotBlock", "StartSnapshot", "PutSnapshotBlock", "CompleteSnapshot"],
];

/** A minute is one second, and the 30 s for an answer are still longer than an answer takes. */
const SPEED = 60;
/** For deadlines of many minutes. */
const SPEED_FOR_STUCK = 100;

type Position = "first" | "middle" | "last" | "every";

interface Kind {
  readonly fault: FaultName;
  /** Told apart where one fault is tried in more than one way. */
  readonly label?: string;
  readonly at: readonly Position[];
  readonly rule?: Partial<FaultRule>;
  readonly speed?: number;
  readonly actions?: readonly string[];
  /** What strikes besides. */
  readonly also?: readonly FaultRule[];
}

const INVISIBLE_ACTIONS = ["CreateVolume", "CreateSnapshot", "StartSnapshot", "RegisterImage", "CopyImage"];

const ANYWHERE = ["first", "middle", "last", "every"] as const;

const KINDS: readonly Kind[] = [
  { fault: "throttle", at: ANYWHERE, rule: { burst: 4 } },
  { fault: "internal-error", at: ANYWHERE },
  { fault: "unavailable", at: ANYWHERE },
  { fault: "reset-before", at: ANYWHERE },
  { fault: "reset-after", at: ANYWHERE },
  { fault: "error-after", at: ANYWHERE },
  { fault: "denied", at: ["first", "every"] },
  { fault: "expired-credentials", at: ["first", "middle", "last", "every"] },
  { fault: "slow", label: "answer after 6 s", at: ["first", "last"], rule: { seconds: 6 / SPEED } },
  { fault: "slow", label: "answer after 45 s", at: ["first", "middle", "last"], rule: { seconds: 45 / SPEED } },
  {
    fault: "slow",
    label: "answer after 45 s",
    at: ["every"],
    rule: { seconds: 45 / SPEED_FOR_STUCK },
    speed: SPEED_FOR_STUCK,
  },
  { fault: "invisible", at: ["first"], rule: { seconds: 30 / SPEED } },
  { fault: "flickering", at: ["first"], rule: { seconds: 60 / SPEED } },
  { fault: "stuck-attaching", label: "for 2 min", at: ["first"], rule: { seconds: 120 / SPEED } },
  { fault: "stuck-attaching", label: "for ever", at: ["first"], speed: SPEED_FOR_STUCK },
  { fault: "stuck-detaching", label: "for 2 min", at: ["first"], rule: { seconds: 120 / SPEED } },
  { fault: "stuck-detaching", label: "for ever", at: ["first"], speed: SPEED_FOR_STUCK },
  { fault: "volume-error", at: ["first"] },
  { fault: "snapshot-error", at: ["first"] },
  { fault: "image-failed", at: ["first"] },
  { fault: "damaged-block", at: ANYWHERE },
  { fault: "wrong-checksum", at: ANYWHERE },
  { fault: "expired-token", at: ANYWHERE },
  { fault: "reset-during", at: ANYWHERE },
  // What was made although the answer was lost cannot even be seen at once.
  ...(["reset-after", "error-after"] as const).map((fault) => ({
    fault,
    label: "invisible for 30 s",
    at: ["first"] as const,
    actions: INVISIBLE_ACTIONS,
    also: [{ fault: "invisible", actions: INVISIBLE_ACTIONS, seconds: 30 / SPEED }] as const,
  })),
];

/** All cells, what strikes every call from some moment on, and what strikes many of all calls. */
export function faultCases(counts: CallCounts): FaultCase[] {
  return [...cells(counts), ...BUILD_KINDS.flatMap((build) => [...outages(build, counts[build]), ...weather(build)])];
}

const WEATHER = ["throttle", "internal-error", "reset-before", "reset-after", "error-after"] as const;

/** A build rides out what befalls many calls, but none of them again and again. */
function weather(build: BuildKind): FaultCase[] {
  return WEATHER.map((fault) => ({
    name: `${fault} at every third call, whichever, of a ${build} build`,
    build,
    rules: [{ fault, actions: ["*"], share: 1 / 3 }],
    speed: SPEED,
  }));
}

const OUTAGES: readonly { readonly fault: FaultName; readonly times?: number }[] = [
  { fault: "expired-credentials" },
  { fault: "throttle", times: 30 },
  { fault: "unavailable", times: 30 },
  { fault: "reset-before", times: 30 },
];
const OUTAGE_STARTS = 8;

function outages(build: BuildKind, counts: ReadonlyMap<string, number>): FaultCase[] {
  const callCount = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return OUTAGES.flatMap(({ fault, times }) =>
    Array.from({ length: OUTAGE_STARTS }, (_, index) => {
      const from = 1 + Math.floor((index * callCount) / OUTAGE_STARTS);
      const howLong = times === undefined ? "on" : `on, ${times} times,`;
      return {
        name: `${fault} from call ${from} ${howLong} of a ${build} build`,
        build,
        rules: [{ fault, actions: ["*"], from, times }],
        speed: SPEED,
      };
    }),
  );
}

function cells(counts: CallCounts): FaultCase[] {
  return KINDS.flatMap((kind) =>
    BUILD_KINDS.flatMap((build) =>
      [...counts[build]]
        .filter(([action, count]) => count > 0 && canStrike(kind, action))
        .flatMap(([action, count]) =>
          kind.at
            .filter((position) => isDistinct(position, count))
            .map((position) => faultCase(kind, build, action, { position, count })),
        ),
    ),
  );
}

function canStrike({ fault, actions }: Kind, action: string): boolean {
  const possible: readonly string[] | undefined = actions ?? faultKind(fault).actions;
  return possible === undefined || possible.includes(action);
}

/** The first of one call is also its middle and its last. */
function isDistinct(position: Position, count: number): boolean {
  return position === "first" || position === "every" || count >= (position === "last" ? 2 : 3);
}

function faultCase(
  { fault, label, rule = {}, speed = SPEED, also = [] }: Kind,
  build: BuildKind,
  action: string,
  { position, count }: { position: Position; count: number },
): FaultCase {
  const call = { first: 1, middle: Math.ceil(count / 2), last: count, every: 1 }[position];
  const chosen =
    position === "every" ? {} : rule.burst === undefined ? { calls: [call] } : { from: call, times: rule.burst };
  const kindName = label === undefined ? fault : `${fault} (${label})`;
  return {
    name: `${kindName} at ${position === "every" ? "every" : `the ${position}`} ${action} of a ${build} build`,
    build,
    rules: [{ fault, actions: [action], ...rule, ...chosen }, ...also],
    speed,
  };
}
