/** What a fault does to a call that it strikes. */
export interface FaultKind {
  /**
   * `instead`: the action is not done. `after`: it is done and durable, and its answer is lost. `late`: its answer
   * takes longer. `effect`: it is done, and what it makes fares badly.
   */
  readonly moment: "instead" | "after" | "late" | "effect";
  /** The actions it can strike; all if missing. */
  readonly actions?: readonly string[];
  /** Whether its rule has `seconds`. */
  readonly seconds?: "required" | "optional";
  /** Whether its rule may have the `message` that EC2 gives as the reason. */
  readonly hasMessage?: true;
}

/** Actions that make something with an id, which is not known everywhere at once. */
const CREATING = ["CreateVolume", "CreateSnapshot", "CopySnapshot", "StartSnapshot", "RegisterImage", "CopyImage"];

/** Every fault there is. docs/faults.md tells what each does. */
export const FAULTS = {
  throttle: { moment: "instead" },
  "internal-error": { moment: "instead" },
  unavailable: { moment: "instead" },
  denied: { moment: "instead" },
  "expired-credentials": { moment: "instead" },
  "reset-before": { moment: "instead" },
  "reset-after": { moment: "after" },
  "error-after": { moment: "after" },
  slow: { moment: "late", seconds: "required" },
  invisible: { moment: "effect", actions: CREATING, seconds: "required" },
  flickering: { moment: "effect", actions: CREATING, seconds: "required" },
  "stuck-attaching": { moment: "effect", actions: ["AttachVolume"], seconds: "optional" },
  "stuck-detaching": { moment: "effect", actions: ["DetachVolume"], seconds: "optional" },
  "volume-error": { moment: "effect", actions: ["CreateVolume"] },
  "snapshot-error": {
    moment: "effect",
    actions: ["CreateSnapshot", "CopySnapshot", "CompleteSnapshot"],
    hasMessage: true,
  },
  "damaged-block": { moment: "effect", actions: ["GetSnapshotBlock"] },
  "wrong-checksum": { moment: "effect", actions: ["GetSnapshotBlock"] },
  "expired-token": { moment: "effect", actions: ["GetSnapshotBlock", "ListSnapshotBlocks", "ListChangedBlocks"] },
  "reset-during": { moment: "effect", actions: ["GetSnapshotBlock", "PutSnapshotBlock"] },
  "image-failed": { moment: "effect", actions: ["RegisterImage", "CopyImage"], hasMessage: true },
} as const satisfies Readonly<Record<string, FaultKind>>;

export type FaultName = keyof typeof FAULTS;

/** The names of the faults of some moments. */
export type FaultOf<Moment extends FaultKind["moment"]> = {
  [Name in FaultName]: (typeof FAULTS)[Name]["moment"] extends Moment ? Name : never;
}[FaultName];

export const FAULT_NAMES = Object.keys(FAULTS) as FaultName[];

export function faultKind(name: FaultName): FaultKind {
  return FAULTS[name];
}
