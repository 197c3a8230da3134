/**
 * - `gpt`: one partition, the root.
 * - `whole-disk`: a file system without a partition table.
 * - `mbr-multi`: the root is partition 1, then swap, then a data partition.
 * - `gpt-multi`: the root is partition 3, marked by its GPT type, behind an EFI and a boot partition.
 */
export type DiskLayout = "gpt" | "whole-disk" | "mbr-multi" | "gpt-multi";

export interface Partition {
  readonly startMib: number;
  readonly sizeMib: number;
  /** `other` is an ext4 file system that is not the root; `none` is left unformatted. */
  readonly content: "root" | "other" | "none";
  /** Of the file system. */
  readonly label: string;
  /** As sfdisk knows it. */
  readonly type: string;
  /** Of the GPT entry. */
  readonly name?: string;
}

const ROOT_MIB = 48;
const GPT_ROOT_X86_64 = "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709";
const GPT_LINUX = "0FC63DAF-8483-4772-8E79-3D69D8477DE4";
const GPT_EFI_SYSTEM = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";

const LAYOUTS: Readonly<Record<DiskLayout, readonly Partition[]>> = {
  "whole-disk": [{ startMib: 0, sizeMib: ROOT_MIB, content: "root", label: "root", type: "" }],
  gpt: [{ startMib: 1, sizeMib: ROOT_MIB, content: "root", label: "root", type: GPT_LINUX }],
  "mbr-multi": [
    { startMib: 1, sizeMib: ROOT_MIB, content: "root", label: "root", type: "83" },
    { startMib: 1 + ROOT_MIB, sizeMib: 4, content: "none", label: "swap", type: "82" },
    { startMib: 5 + ROOT_MIB, sizeMib: 8, content: "other", label: "data", type: "83" },
  ],
  "gpt-multi": [
    { startMib: 1, sizeMib: 4, content: "none", label: "efi", type: GPT_EFI_SYSTEM, name: "EFI" },
    { startMib: 5, sizeMib: 8, content: "other", label: "boot", type: GPT_LINUX, name: "boot" },
    { startMib: 13, sizeMib: ROOT_MIB, content: "root", label: "root", type: GPT_ROOT_X86_64, name: "root" },
  ],
};

export function partitionsOf(layout: DiskLayout): readonly Partition[] {
  return LAYOUTS[layout];
}

/** The script for sfdisk; nothing for a disk that has no table. */
export function partitionTable(layout: DiskLayout): string | undefined {
  if (layout === "whole-disk") return undefined;
  const isGpt = layout !== "mbr-multi";
  const lines = LAYOUTS[layout].map((partition) => {
    const fields = [`start=${partition.startMib}MiB`, `size=${partition.sizeMib}MiB`, `type=${partition.type}`];
    if (partition.name !== undefined) fields.push(`name=${partition.name}`);
    return fields.join(", ");
  });
  return [`label: ${isGpt ? "gpt" : "dos"}`, ...lines, ""].join("\n");
}
