import { setMaxListeners } from "node:events";
import type { Clock } from "../../base/clock.ts";
import type { AttachmentRecord } from "../state/records.ts";

/** What faults hold back for a while: resources that nobody sees yet, and attachments that do not go on. */
export class FaultHolds {
  readonly #clock: Clock;
  readonly #closing: AbortSignal;
  /** When each invisible resource is to be seen, in milliseconds since the epoch. */
  readonly #hiddenUntilMs = new Map<string, number>();
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

  isHidden(id: string): boolean {
    return this.#clock.now() < (this.#hiddenUntilMs.get(id) ?? 0);
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
