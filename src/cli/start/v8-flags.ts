import { setFlagsFromString } from "node:v8";

/**
 * Keeps the heap's young generation at the size that it starts with, 1 MiB. It would grow as values survive, and each new page
 * of memory must be got from the kernel: on a virtual machine that takes longer than to collect the garbage in the pages that
 * are there. What lives long is moved out of it as ever.
 *
 * V8 takes compiled code of its own flags only, so whoever makes that calls this first, too.
 */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}
