import { type EmitBuildEvent, warningOf } from "../build-events.ts";
import type { Prompter } from "./prompter.ts";
import type { WayIn } from "./way-in.ts";

/** What went wrong, and what can be done about it. */
export interface StepFailure {
  readonly error: unknown;
  /** Missing if no step failed, but something between them. */
  readonly title?: string;
  /** Whether the step can be run once more. */
  readonly isRepeatable: boolean;
}

export type Choice = "clean" | "abort" | "retry";

export interface InteractionOptions {
  readonly buildName: string;
  readonly emit: EmitBuildEvent;
  readonly signal: AbortSignal;
  /** Missing: nobody is there. */
  readonly prompter?: Prompter | undefined;
}

/** What one build has to do with the person at the terminal: pauses, choices, a shell in the image. */
export class Interaction {
  readonly #options: InteractionOptions;
  /** While the image is mounted. */
  wayIn: WayIn | undefined;

  constructor(options: InteractionOptions) {
    this.#options = options;
  }

  /** Whether somebody can choose what becomes of a failed build. */
  get canChoose(): boolean {
    return this.#options.prompter?.isInteractive ?? false;
  }

  /**
   * Waits until somebody lets the build go on.
   *
   * @returns whether anybody did.
   * @throws the signal's reason once it aborts.
   */
  async pause(text: string, signal: AbortSignal): Promise<boolean> {
    const { prompter, buildName, emit } = this.#options;
    if (prompter === undefined) return false;
    if (this.wayIn !== undefined) emit({ type: "message", text: `To look around: ${this.wayIn.commandLine}` });
    const question = { build: buildName, text: `${text}. Press enter to continue.` };
    return (await prompter.ask(question, signal)) !== undefined;
  }

  /** Asks what to do about a failure. Nobody's answer, and Ctrl-C, are the answer "clean", as in Packer. */
  async choose({ error, title, isRepeatable }: StepFailure): Promise<Choice> {
    const { prompter, buildName: build, signal } = this.#options;
    if (prompter === undefined) return "clean";
    const offers = [
      "[c]lean up and exit",
      "[a]bort without cleanup",
      ...(isRepeatable ? ["[r]etry this step"] : []),
      ...(this.wayIn === undefined ? [] : ["[s]hell in the image"]),
    ];
    const what = title === undefined ? "The build" : `"${title}"`;
    const text = `${what} failed: ${offers.slice(0, -1).join(", ")} or ${offers.at(-1)}?`;
    for (let shown: { error?: unknown } = { error }; ; shown = {}) {
      const answer = await prompter.ask({ build, text, ...shown }, signal).catch(() => undefined);
      const letter = answer?.trim().toLowerCase()[0] ?? "c";
      if (letter === "c") return "clean";
      if (letter === "a") return "abort";
      if (letter === "r" && isRepeatable) return "retry";
      if (letter === "s" && this.wayIn !== undefined) await this.#openShell(prompter, this.wayIn);
    }
  }

  async #openShell(prompter: Prompter, wayIn: WayIn): Promise<void> {
    try {
      await prompter.lend(() => wayIn.openShell());
    } catch (error) {
      this.#options.emit(warningOf("Cannot open a shell in the image", error));
    }
  }
}
