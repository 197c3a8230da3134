import type { Interaction, StepFailure } from "./interaction.ts";

/** What becomes of what a failed build made: `-on-error`. */
export type OnError = "cleanup" | "abort" | "ask" | "run-cleanup-provisioner";

export type Verdict = "release" | "keep";

/**
 * Decides, once for each build, what becomes of what it made when it fails. Every
 * release consults the verdict; no step does.
 */
export class FailurePolicy {
  readonly #onError: OnError;
  readonly #signal: AbortSignal;
  readonly #interaction: Interaction;
  #verdict: Verdict | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: { onError: OnError; signal: AbortSignal; interaction: Interaction }) {
    this.#onError = options.onError;
    this.#signal = options.signal;
    this.#interaction = options.interaction;
  }

  /** The build has failed, and everything stays as it is. */
  get isKeeping(): boolean {
    return this.#verdict === "keep";
  }

  /** Whether the image is put in order by the template's own means before it is left or removed. As in Packer. */
  get runsErrorCleanup(): boolean {
    return this.#onError === "run-cleanup-provisioner" || this.#verdict !== "keep";
  }

  /** Only the first failure is decided on; what fails later, most often a release, shares its fate. */
  async judge(failure: StepFailure): Promise<Verdict | "retry"> {
    // Two steps that fail side by side are asked about one after the other.
    const judged = this.#turn.then(() => this.#judgeInTurn(failure));
    this.#turn = judged.catch(() => {});
    return judged;
  }

  /** For what is no step: judges its failure. */
  async watch<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      await this.judge({ error, isRepeatable: false });
      throw error;
    }
  }

  async #judgeInTurn(failure: StepFailure): Promise<Verdict | "retry"> {
    if (this.#verdict !== undefined) return this.#verdict;
    const verdict = await this.#decide(failure);
    if (verdict !== "retry") this.#verdict = verdict;
    return verdict;
  }

  async #decide(failure: StepFailure): Promise<Verdict | "retry"> {
    if (this.#onError === "cleanup") return "release";
    if (this.#onError !== "ask") return "keep";
    // Ctrl-C is an answer too.
    if (this.#signal.aborted) return "release";
    const choice = await this.#interaction.choose(failure);
    if (choice === "retry") return "retry";
    return choice === "abort" ? "keep" : "release";
  }
}
