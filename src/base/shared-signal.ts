import { setMaxListeners } from "node:events";

/** Aborts with `signal`, and takes any number of listeners at once: Node warns of a leak where one has more than ten. */
export function sharedSignal(signal: AbortSignal): AbortSignal {
  const shared = AbortSignal.any([signal]);
  setMaxListeners(0, shared);
  return shared;
}
