import { ApiError, invalidCombination, invalidParameterValue } from "../protocol/api-error.ts";
import type { VolumeType } from "../state/records.ts";

interface VolumeTypeLimits {
  readonly sizeGibMin: number;
  readonly sizeGibMax: number;
  readonly iops?: {
    readonly min: number;
    readonly max: number;
    readonly perGibMax: number;
    readonly isRequired: boolean;
  };
}

/** CreateVolume, "Size" and "Iops" (API reference, 2025). */
const LIMITS: Readonly<Record<VolumeType, VolumeTypeLimits>> = {
  standard: { sizeGibMin: 1, sizeGibMax: 1_024 },
  gp2: { sizeGibMin: 1, sizeGibMax: 16_384 },
  gp3: { sizeGibMin: 1, sizeGibMax: 65_536, iops: { min: 3_000, max: 80_000, perGibMax: 500, isRequired: false } },
  io1: { sizeGibMin: 4, sizeGibMax: 16_384, iops: { min: 100, max: 64_000, perGibMax: 50, isRequired: true } },
  io2: { sizeGibMin: 4, sizeGibMax: 65_536, iops: { min: 100, max: 256_000, perGibMax: 1_000, isRequired: true } },
  st1: { sizeGibMin: 125, sizeGibMax: 16_384 },
  sc1: { sizeGibMin: 125, sizeGibMax: 16_384 },
};

export const VOLUME_TYPES = Object.keys(LIMITS) as VolumeType[];

const GP3_IOPS_DEFAULT = 3_000;
const GP3_THROUGHPUT_DEFAULT = 125;
const GP3_THROUGHPUT_MAX = 2_000;
/** MiB/s for each provisioned I/O operation a second. */
const GP3_THROUGHPUT_PER_IOPS_MAX = 0.25;

export interface VolumeShape {
  readonly type: VolumeType;
  readonly sizeGib: number;
  readonly iops: number | undefined;
  /** MiB/s. */
  readonly throughput: number | undefined;
}

/**
 * Checks a volume's type, size and performance against each other, and fills in what EC2 fills in.
 *
 * @throws {ApiError} InvalidParameterValue, InvalidParameterCombination, MissingParameter.
 */
export function planVolumeShape({ type, sizeGib, iops, throughput }: VolumeShape): VolumeShape {
  checkSize(type, sizeGib);
  if (throughput !== undefined && type !== "gp3") {
    throw invalidCombination(`The parameter throughput is not supported for ${type} volumes.`);
  }
  const planned = planIops({ type, sizeGib, iops });
  return {
    type,
    sizeGib,
    iops: planned,
    throughput: type === "gp3" ? planThroughput(throughput, planned ?? 0) : undefined,
  };
}

function checkSize(type: VolumeType, sizeGib: number): void {
  const { sizeGibMin, sizeGibMax } = LIMITS[type];
  if (sizeGib < sizeGibMin) {
    throw invalidParameterValue(
      `Volume of ${sizeGib}GiB is too small for volume type ${type}; minimum is ${sizeGibMin}GiB.`,
    );
  }
  if (sizeGib > sizeGibMax) {
    throw invalidParameterValue(
      `Volume of ${sizeGib}GiB is too large for volume type ${type}; maximum is ${sizeGibMax}GiB.`,
    );
  }
}

function planIops({ type, sizeGib, iops }: Pick<VolumeShape, "type" | "sizeGib" | "iops">): number | undefined {
  const limits = LIMITS[type].iops;
  if (limits === undefined) {
    if (iops !== undefined) throw invalidCombination(`The parameter iops is not supported for ${type} volumes.`);
    // gp2's baseline: 3 for each GiB.
    return type === "gp2" ? Math.min(16_000, Math.max(100, sizeGib * 3)) : undefined;
  }
  if (iops === undefined) {
    if (!limits.isRequired) return GP3_IOPS_DEFAULT;
    throw new ApiError("MissingParameter", `The parameter iops must be specified for ${type} volumes.`);
  }
  if (iops < limits.min) throw invalidParameterValue(`Volume iops of ${iops} is too low; minimum is ${limits.min}.`);
  if (iops > limits.max) throw invalidParameterValue(`Volume iops of ${iops} is too high; maximum is ${limits.max}.`);
  const perGib = iops / sizeGib;
  // The smallest volumes may have the default although it is above the ratio.
  if (perGib > limits.perGibMax && iops > GP3_IOPS_DEFAULT)
    throw ratioTooHigh("Iops to volume size", perGib, limits.perGibMax);
  if (perGib > limits.perGibMax && limits.isRequired)
    throw ratioTooHigh("Iops to volume size", perGib, limits.perGibMax);
  return iops;
}

function planThroughput(throughput: number | undefined, iops: number): number {
  if (throughput === undefined) return GP3_THROUGHPUT_DEFAULT;
  if (throughput < GP3_THROUGHPUT_DEFAULT) {
    throw invalidParameterValue(`Throughput of ${throughput} is too low; minimum is ${GP3_THROUGHPUT_DEFAULT}.`);
  }
  if (throughput > GP3_THROUGHPUT_MAX) {
    throw invalidParameterValue(`Throughput of ${throughput} is too high; maximum is ${GP3_THROUGHPUT_MAX}.`);
  }
  const perIops = throughput / iops;
  if (perIops > GP3_THROUGHPUT_PER_IOPS_MAX)
    throw ratioTooHigh("Throughput (MiBps) to iops", perIops, GP3_THROUGHPUT_PER_IOPS_MAX);
  return throughput;
}

function ratioTooHigh(what: string, ratio: number, max: number): ApiError {
  return invalidCombination(`${what} ratio of ${ratio.toFixed(6)} is too high; maximum is ${max.toFixed(6)}.`);
}
