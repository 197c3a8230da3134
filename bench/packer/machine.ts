import { availableParallelism, totalmem } from "node:os";
import { GIB } from "../../src/base/units.ts";

/** "Node v20.20.2, 2 CPUs, 24 GiB" */
export function describeMachine(): string {
  return `Node ${process.version}, ${availableParallelism()} CPUs, ${Math.round(totalmem() / GIB)} GiB`;
}
