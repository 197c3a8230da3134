// Node's own modules that take milliseconds to load, for those who call them seldom.

export function loadCrypto(): typeof import("node:crypto") {
  return process.getBuiltinModule("node:crypto");
}

export function loadZlib(): typeof import("node:zlib") {
  return process.getBuiltinModule("node:zlib");
}
