import { machine } from "node:os";
import { ToolError } from "../base/errors.ts";
import { canRun } from "../linux/sandbox/foreign-programs.ts";
import type { BuildPlan } from "../template/build-plan.ts";
import type { SourceImage } from "./image/find-source-image.ts";

/** EC2's names that the kernel has others for. */
const MACHINES: Readonly<Record<string, string>> = { arm64: "aarch64" };

/**
 * Checks that this host can run the image's programs, if the template runs any.
 *
 * @throws {ToolError} with the fault "host".
 */
export async function checkArchitecture(plan: BuildPlan, { imageId, architecture }: SourceImage): Promise<void> {
  if (!runsScripts(plan)) return;
  if (await canRun(MACHINES[architecture] ?? architecture)) return;
  const message = `Cannot run the programs of "${imageId}": they are for ${architecture}, and this host is ${machine()}`;
  throw new ToolError("ERR_ARCHITECTURE", message, { fault: "host", hint: foreignHint(architecture) });
}

/** Whether anything runs in the image, also if only after a failure. */
export function runsScripts({ provisioners, errorCleanupProvisioner }: BuildPlan): boolean {
  return [...provisioners, errorCleanupProvisioner].some((provisioner) => provisioner?.type === "shell");
}

export function foreignHint(architecture: string): string {
  return `Build on a host of ${architecture}, or let this one emulate it: apt-get install qemu-user-static binfmt-support`;
}
