import { ApiError } from "../protocol/api-error.ts";
import type { TokenRecord } from "../state/records.ts";
import type { Call, CallContext } from "./call.ts";

// "ClientToken … up to 64 ASCII characters" (EC2 API reference, "Ensuring idempotency").
const TOKEN_LENGTH_MAX = 64;
/** How long AWS remembers is not published; a day is longer than any retry. */
const REMEMBERED_MS = 24 * 3_600_000;

/**
 * The resource that an earlier request with the same ClientToken and the same
 * parameters made, or undefined.
 *
 * @throws {ApiError} IdempotentParameterMismatch if the parameters were others.
 */
export function earlierResource(call: Call): string | undefined {
  const token = clientToken(call);
  if (token === undefined) return undefined;
  const earlier = earlierUse(call, token);
  if (earlier === undefined) return undefined;
  if (earlier.fingerprint !== fingerprint(call)) {
    const message = "The client token you have provided is associated with a resource with different parameters.";
    throw new ApiError("IdempotentParameterMismatch", message);
  }
  return earlier.resourceId;
}

/** What the caller has used a token for, with the same action in the same region. */
export function earlierUse(call: CallContext, token: string): TokenRecord | undefined {
  const earlier = call.cloud.state.tokens.get(tokenKey(call, token));
  if (earlier === undefined || earlier.usedAtMs + REMEMBERED_MS < call.cloud.clock.now()) return undefined;
  return earlier;
}

/**
 * Lets calls with the same ClientToken go one after the other, so that the later
 * one finds what the earlier one made.
 */
export async function oneAtATime<T>(call: Call, work: () => Promise<T>): Promise<T> {
  return oneOfTokenAtATime(call, clientToken(call), work);
}

export async function oneOfTokenAtATime<T>(
  call: CallContext,
  token: string | undefined,
  work: () => Promise<T>,
): Promise<T> {
  if (token === undefined) return work();
  const { tokensInUse } = call.cloud;
  const key = tokenKey(call, token);
  const mine = (tokensInUse.get(key) ?? Promise.resolve()).catch(() => undefined).then(work);
  tokensInUse.set(key, mine);
  try {
    return await mine;
  } finally {
    if (tokensInUse.get(key) === mine) tokensInUse.delete(key);
  }
}

/** Remembers what the call made, in the same transaction as the resource. */
export function rememberResource(call: Call, resourceId: string): void {
  const token = clientToken(call);
  if (token !== undefined) rememberUse(call, token, { fingerprint: fingerprint(call), resourceId });
}

export function rememberUse(call: CallContext, token: string, use: Omit<TokenRecord, "usedAtMs">): void {
  call.cloud.state.tokens.put(tokenKey(call, token), { ...use, usedAtMs: call.cloud.clock.now() });
}

/** Forgets tokens that are too old to be repeated. Called when a store is opened. */
export function forgetOldTokens({ state, clock }: Call["cloud"]): void {
  for (const [key, token] of state.tokens.entries()) {
    if (token.usedAtMs + REMEMBERED_MS < clock.now()) state.tokens.delete(key);
  }
}

function clientToken({ params }: Call): string | undefined {
  const token = params.string("ClientToken");
  if (token === undefined || /^[\x20-\x7e]{1,64}$/.test(token)) return token;
  const message = `Invalid idempotency token: it can have up to ${TOKEN_LENGTH_MAX} ASCII characters`;
  throw new ApiError("InvalidParameterValue", message);
}

function tokenKey({ caller, region, action }: CallContext, token: string): string {
  return [caller.accountId, region, action, token].join(" ");
}

/** The request without what differs between two signings of it. */
function fingerprint({ params }: Call): string {
  return params.fingerprint(["ClientToken", "DryRun", "Version", "Action"]);
}
