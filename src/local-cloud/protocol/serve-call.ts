import type { MetFaults } from "../faults/fault-engine.ts";
import { ConnectionReset, faultError, internalError } from "../faults/fault-errors.ts";
import { type Cloud, underWay } from "../operations/cloud.ts";
import { isRegion } from "../operations/regions.ts";
import { commitToRead, noRoomError } from "../operations/room.ts";
import { ApiError } from "./api-error.ts";
import { type Authenticated, authenticate, type Service } from "./authenticate.ts";
import { ClientGone } from "./request-body.ts";
import type { SignedRequest } from "./sigv4.ts";

const READS = /^(Describe|Get|List)/;

/** What a protocol makes of a request. */
export interface ServedCall<Answer> {
  readonly service: Service;
  /** "" if the request names none. */
  readonly action: string;
  /** What its signature is checked against. */
  signed(): SignedRequest | Promise<SignedRequest>;
  /**
   * Finds the operation, throttles, validates.
   *
   * @returns what does the action.
   * @throws {ApiError}
   */
  admit(authenticated: Authenticated): (faults: MetFaults) => Promise<Answer>;
}

/**
 * The way of every request, once its protocol has parsed it: authenticate, find the operation, throttle, validate,
 * meet faults, run. Whatever it did is durable before it is answered. The protocol then encodes what comes of it.
 *
 * @throws if the client goes away or the cloud closes.
 */
export async function serveCall<Answer>(
  cloud: Cloud,
  { service, action, signed, admit }: ServedCall<Answer>,
): Promise<Answer | ApiError | ConnectionReset> {
  const answerAtMs = cloud.clock.now() + cloud.latency.nextCallMs(action);
  let delayMs = 0;
  const run = async () => {
    const authenticated = authenticateRequest(cloud, await signed(), service);
    const perform = admit(authenticated);
    const faults = cloud.faults.meet(action);
    ({ delayMs } = faults);
    const struck = { ...authenticated, service, action };
    if (faults.refusal !== undefined) throw faultError(faults.refusal, struck);
    const answer = await perform(faults);
    if (READS.test(action)) await commitToRead(cloud);
    else await cloud.state.commit();
    const lost = faults.lostAnswer();
    if (lost !== undefined) throw faultError(lost, struck);
    return answer;
  };
  const answer = await underWay(cloud, () => settle(cloud, { service, action }, run));
  await cloud.transitions.sleep(answerAtMs - cloud.clock.now() + delayMs);
  return answer;
}

function authenticateRequest({ state, clock }: Cloud, request: SignedRequest, service: Service): Authenticated {
  return authenticate(request, service, (accessKeyId) => state.credentials.get(accessKeyId), isRegion, clock.now());
}

async function settle<Answer>(
  cloud: Cloud,
  { service, action }: Pick<ServedCall<Answer>, "service" | "action">,
  run: () => Promise<Answer>,
): Promise<Answer | ApiError | ConnectionReset> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof ApiError || error instanceof ConnectionReset) return error;
    if (error instanceof ClientGone) throw error;
    cloud.report("Cannot answer a request", error);
    const noRoom = noRoomError(service, action, error);
    if (noRoom !== undefined) return noRoom;
    return internalError(service);
  }
}
