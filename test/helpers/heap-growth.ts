import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

/** How many bytes of the JavaScript heap something takes that was made: buffers do not count. */
export async function heapGrowth(make: () => Promise<unknown>): Promise<number> {
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  const made = await make();
  collectGarbage();
  const growth = process.memoryUsage().heapUsed - before;
  // Until here it is in use.
  return made === undefined ? Number.NaN : growth;
}
