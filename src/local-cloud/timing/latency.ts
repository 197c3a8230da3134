import { createHash } from "node:crypto";

/** `none`: as soon as the work is done. `aws`: as slow as AWS is. */
export type LatencyMode = "none" | "aws";

/** A change of state that goes on after the answer. */
export type TransitionKind =
  | "CreateVolume"
  | "AttachVolume"
  | "DetachVolume"
  | "DeleteVolume"
  | "CreateSnapshot"
  | "CopySnapshot"
  | "CompleteSnapshot"
  | "RegisterImage"
  | "CopyImage";

/** A log-normal distribution by its median and one upper quantile, in milliseconds. */
interface Distribution {
  readonly medianMs: number;
  readonly upperMs: number;
  /** Which quantile `upperMs` is. */
  readonly upper: "p95" | "p99";
}

// Standard normal quantiles of 0.95 and 0.99.
const UPPER_DEVIATIONS = { p95: 1.6448536, p99: 2.3263479 } as const;

/**
 * CreateVolume, AttachVolume and DetachVolume follow what the EBS CSI driver's
 * authors measured (aws-ebs-csi-driver #2021 and pkg/cloud/cloud.go). Nothing is
 * published for the others: these are assumptions, fixed once, and listed with
 * their reasons in docs/fidelity.md.
 */
export const TRANSITIONS: Readonly<Record<TransitionKind, Distribution>> = {
  CreateVolume: { medianMs: 1_500, upperMs: 4_000, upper: "p99" },
  AttachVolume: { medianMs: 2_000, upperMs: 5_000, upper: "p99" },
  DetachVolume: { medianMs: 2_000, upperMs: 5_000, upper: "p99" },
  // As long as the answer: a deleted volume is not waited for by any tool.
  DeleteVolume: { medianMs: 60, upperMs: 200, upper: "p95" },
  CreateSnapshot: { medianMs: 60_000, upperMs: 180_000, upper: "p95" },
  CopySnapshot: { medianMs: 60_000, upperMs: 180_000, upper: "p95" },
  CompleteSnapshot: { medianMs: 4_000, upperMs: 12_000, upper: "p95" },
  RegisterImage: { medianMs: 4_000, upperMs: 10_000, upper: "p95" },
  CopyImage: { medianMs: 120_000, upperMs: 360_000, upper: "p95" },
};

/** How long an answer takes. */
export const CALL: Distribution = { medianMs: 60, upperMs: 200, upper: "p95" };

/** How long those answers take that are not like the others. */
export const CALLS: Readonly<Record<string, Distribution>> = {
  GetSnapshotBlock: { medianMs: 40, upperMs: 90, upper: "p95" },
  PutSnapshotBlock: { medianMs: 100, upperMs: 200, upper: "p95" },
  // A page, always the same.
  ListSnapshotBlocks: { medianMs: 300, upperMs: 300, upper: "p95" },
  ListChangedBlocks: { medianMs: 300, upperMs: 300, upper: "p95" },
};

/**
 * Draws delays. The n-th delay of a kind depends on the seed, the kind and n
 * alone, so that two tools run against the same seed meet the same delays,
 * whatever else each of them calls.
 */
export class LatencyModel {
  readonly mode: LatencyMode;
  readonly #seed: number;
  readonly #ordinals = new Map<string, number>();

  constructor(mode: LatencyMode, seed: number) {
    this.mode = mode;
    this.#seed = seed;
  }

  /** Milliseconds until the answer to the next call of `action`. */
  nextCallMs(action: string): number {
    return this.#next(`call ${action}`, CALLS[action] ?? CALL);
  }

  /** Milliseconds from the call until its change of state is over. */
  nextTransitionMs(kind: TransitionKind): number {
    return this.#next(`transition ${kind}`, TRANSITIONS[kind]);
  }

  #next(stream: string, distribution: Distribution): number {
    if (this.mode === "none") return 0;
    const ordinal = this.#ordinals.get(stream) ?? 0;
    this.#ordinals.set(stream, ordinal + 1);
    return drawMs(distribution, `${this.#seed} ${stream} ${ordinal}`);
  }
}

/** The delay that belongs to `key`: always the same one. */
export function drawMs({ medianMs, upperMs, upper }: Distribution, key: string): number {
  const sigma = Math.log(upperMs / medianMs) / UPPER_DEVIATIONS[upper];
  return medianMs * Math.exp(sigma * standardNormal(key));
}

/** A number from the standard normal distribution (Box-Muller), made from the hash of `key`. */
function standardNormal(key: string): number {
  const digest = createHash("sha256").update(key).digest();
  // Plus one: the logarithm below needs a number above zero.
  const radial = (digest.readUInt32BE(0) + 1) / 4_294_967_297;
  const angle = digest.readUInt32BE(4) / 4_294_967_296;
  return Math.sqrt(-2 * Math.log(radial)) * Math.cos(2 * Math.PI * angle);
}
