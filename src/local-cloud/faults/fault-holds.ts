import { setMaxListeners } from "node:events";
import type { Clock } from "../../base/clock.ts";
import { seededRandom } from "../../base/random.ts";
import type { AttachmentRecord } from "../state/records.ts";

/** How likely a question does not see what flickers. */
const FLICKER_SHARE = 0.5;

/** What faults hold back for a while: resources that nobody sees yet, and attachments that do not go on. */
export class FaultHolds {
  readonly #clock: Clock;
  readonly #closing: AbortSignal;
  /** When each invisible resource is to be seen, in milliseconds since the epoch. */
  readonly #hiddenUntilMs = new Map<string, number>();
  /** Until when each flickering resource is now seen and now not. */
  readonly #flickeringUntilMs = new Map<string, number>();
  /** The same for each cloud, so that a run can be repeated. */
  readonly #draw = seededRandom(1);
  readonly #stopped = new WeakSet<AttachmentRecord>();
  #release = releaser();

  /** @param closing aborts when the cloud closes. */
  constructor(clock: Clock, closing: AbortSignal) {
    this.#clock = clock;
    this.#closing = closing;
  }

  hide(id: string, seconds: number): void {
    this.#hiddenUntilMs.set(id, this.#clock.now() + seconds * 1000);
  }

  /** As a service does of whose servers some have not heard of it: each question may meet one of those. */
  flicker(id: string, seconds: number): void {
    this.#flickeringUntilMs.set(id, this.#clock.now() + seconds * 1000);
  }

  /** Asked again, it may say otherwise. */
  isHidden(id: string): boolean {
    const now = this.#clock.now();
    if (now < (this.#hiddenUntilMs.get(id) ?? 0)) return true;
    return now < (this.#flickeringUntilMs.get(id) ?? 0) && this.#draw() < FLICKER_SHARE;
  }

  /** Says that nothing is being done for an attachment that is "attaching", so that it can be detached. */
  stop(attachment: AttachmentRecord): void {
    this.#stopped.add(attachment);
  }

  goOn(attachment: AttachmentRecord): void {
    this.#stopped.delete(attachment);
  }

  isStopped(attachment: AttachmentRecord): boolean {
    return this.#stopped.has(attachment);
  }

  /**
   * Waits until a hold is over: after so many seconds, or else only when all holds are released.
   *
   * @throws the reason, once the cloud closes.
   */
  async wait(seconds: number | undefined): Promise<void> {
    const end = AbortSignal.any([this.#release.signal, this.#closing]);
    if (seconds === undefined) {
      if (!end.aborted) await new Promise((resolve) => end.addEventListener("abort", resolve, { once: true }));
    } else {
      // Rejected: released, which is the end of the hold, or closing, which is told below.
      await this.#clock.sleep(seconds * 1000, end).catch(() => {});
    }
    this.#closing.throwIfAborted();
  }

  /** Ends all holds. */
  releaseAll(): void {
    this.#hiddenUntilMs.clear();
    this.#flickeringUntilMs.clear();
    this.#release.abort();
    this.#release = releaser();
  }
}

function releaser(): AbortController {
  const controller = new AbortController();
  // One listener for each wait, and there may be many.
  setMaxListeners(0, controller.signal);
  return controller;
}
