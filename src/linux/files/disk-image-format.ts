/** How many bytes of the start of a file tell what it is. */
export const FORMAT_HEAD_BYTES = 4096;

/**
 * Which container a disk is in, by the file's first bytes.
 *
 * @returns undefined for a raw disk, and for what is none.
 */
export function containerOf(head: Buffer): "qcow2" | "VMDK" | "VHDX" | "VHD" | "VDI" | undefined {
  if (begins(head, "QFI\xfb")) return "qcow2";
  if (begins(head, "KDMV")) return "VMDK";
  if (begins(head, "vhdxfile")) return "VHDX";
  if (begins(head, "conectix")) return "VHD";
  if (head.length >= 0x44 && head.readUInt32LE(0x40) === 0xbeda107f) return "VDI";
  return undefined;
}

/** What a file is compressed with, by its first bytes. */
export function compressionOf(head: Buffer): "gzip" | "zstd" | "xz" | "bzip2" | undefined {
  if (begins(head, "\x1f\x8b")) return "gzip";
  if (begins(head, "\x28\xb5\x2f\xfd")) return "zstd";
  if (begins(head, "\xfd7zXZ\0")) return "xz";
  if (begins(head, "BZh")) return "bzip2";
  return undefined;
}

function begins(head: Buffer, signature: string): boolean {
  return head.toString("latin1", 0, signature.length) === signature;
}
