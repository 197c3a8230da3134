import { readFile } from "node:fs/promises";

// Bits of capabilities(7).
const CAP_SETPCAP = 8n;
const CAP_SYS_BOOT = 22n;

/**
 * What to put before a command so that it cannot restart the host, nor load a kernel into it. In a sandbox reboot(2)
 * would end the sandbox, and kexec(8) the host. Nothing, where it could not anyway or cannot be taken away.
 */
export async function withoutReboot(): Promise<readonly string[]> {
  const status = await readFile("/proc/self/status", "utf8");
  const isIn = (set: string, bit: bigint): boolean => {
    const mask = new RegExp(`^${set}:\\s*([0-9a-f]+)$`, "m").exec(status)?.[1] ?? "0";
    return ((BigInt(`0x${mask}`) >> bit) & 1n) === 1n;
  };
  if (!isIn("CapBnd", CAP_SYS_BOOT) || !isIn("CapEff", CAP_SETPCAP)) return [];
  return ["setpriv", "--bounding-set=-sys_boot", "--"];
}
