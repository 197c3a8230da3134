import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestCloud } from "./test-cloud.ts";

/** Where a script in the image waits until the test lets it go on. */
export interface Gate {
  /** Of the builder: the gate is a directory of this host. */
  readonly chroot_mounts: readonly (readonly string[])[];
  /** A line of the script. */
  readonly wait: string;
  open(): Promise<void>;
}

export async function makeGate(cloud: TestCloud): Promise<Gate> {
  const directory = await mkdtemp(join(cloud.scratch, "gate-"));
  return {
    chroot_mounts: [
      ["proc", "proc", "/proc"],
      ["bind", "/dev", "/dev"],
      ["bind", directory, "/gate"],
    ],
    wait: "until [ -e /gate/open ]; do sleep 0.05; done",
    open: () => writeFile(join(directory, "open"), ""),
  };
}
