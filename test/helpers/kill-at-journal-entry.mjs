// Loaded into amibake with `node --import`: kills its process group by SIGKILL at an exact moment of its journal, so that
// the product needs no hook for it. A change of a file below AMIBAKE_STATE_DIR is a moment: a write, a sync, a removal.
//
//   AMIBAKE_KILL_AT  "12": the 12th moment; "12 torn": in the middle of it, if it is a write; "12 +3": 3 ms after it, when
//                    the call that it announced is under way; absent: never
//   AMIBAKE_MOMENTS  a file that then lists the moments, one a line: each is written before it happens
import { appendFileSync, readlinkSync, writeSync } from "node:fs";
import promises, { open } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { resolve, sep } from "node:path";

const stateDirectory = resolve(process.env.AMIBAKE_STATE_DIR ?? "/nonexistent");
const [killAt, how] = (process.env.AMIBAKE_KILL_AT ?? "0").split(" ");
const momentsFile = process.env.AMIBAKE_MOMENTS;
let count = 0;

function moment(what, path, tear) {
  count++;
  if (momentsFile !== undefined) appendFileSync(momentsFile, `${what} ${path.slice(stateDirectory.length + 1)}\n`);
  if (count !== Number(killAt)) return;
  if (how === "torn") tear?.();
  const killGroup = () => process.kill(0, "SIGKILL");
  if (how?.startsWith("+")) setTimeout(killGroup, Number(how.slice(1)));
  else killGroup();
}

const isOurs = (path) => resolve(String(path)).startsWith(stateDirectory + sep);

const probe = await open("/dev/null");
const prototype = Object.getPrototypeOf(probe);
await probe.close();

function pathOf(handle) {
  try {
    return readlinkSync(`/proc/self/fd/${handle.fd}`);
  } catch {
    return "";
  }
}

for (const name of ["write", "writev", "writeFile", "appendFile"]) {
  const original = prototype[name];
  prototype[name] = function (data, ...rest) {
    const path = pathOf(this);
    if (isOurs(path)) {
      const bytes = Buffer.from(typeof data === "string" || ArrayBuffer.isView(data) ? data : Buffer.concat(data));
      moment(name, path, () => writeSync(this.fd, bytes.subarray(0, Math.ceil(bytes.length / 2))));
    }
    return original.call(this, data, ...rest);
  };
}

for (const name of ["sync", "datasync", "truncate"]) {
  const original = prototype[name];
  prototype[name] = async function (...rest) {
    const path = pathOf(this);
    if (!isOurs(path)) return original.apply(this, rest);
    moment(`before ${name}`, path);
    const result = await original.apply(this, rest);
    moment(`after ${name}`, path);
    return result;
  };
}

for (const name of ["rm", "unlink", "rename", "writeFile", "appendFile"]) {
  const original = promises[name];
  promises[name] = async (path, ...rest) => {
    if (!isOurs(path)) return original(path, ...rest);
    moment(`before ${name}`, resolve(String(path)));
    const result = await original(path, ...rest);
    moment(`after ${name}`, resolve(String(path)));
    return result;
  };
}
syncBuiltinESMExports();
