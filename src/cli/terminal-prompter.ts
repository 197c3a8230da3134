import { type Clock, systemClock, timeoutSignal } from "../base/clock.ts";
import type { Prompter, Question } from "../build/attendance/prompter.ts";
import type { CliContext } from "./cli-context.ts";
import { LineReader } from "./line-reader.ts";
import type { Cleaner } from "./ui/clean-events.ts";
import { chooseColours } from "./ui/create-renderer.ts";
import { formatError } from "./ui/format-error.ts";
import type { HoldableRenderer } from "./ui/holdable-renderer.ts";

// A pipe that is open and stays silent, as some CI systems give, must not hold a build for ever.
const SILENCE_DEADLINE_MS = 10 * 60_000;

export interface PrompterOptions {
  /** Stands still while somebody is asked. */
  readonly renderer: HoldableRenderer;
  readonly cleaner: Cleaner;
  readonly color: boolean | undefined;
  readonly clock?: Clock;
}

/** Asks on standard output, and reads the answers from standard input. */
export class TerminalPrompter implements Prompter {
  readonly isInteractive: boolean;
  readonly #context: CliContext;
  readonly #options: PrompterOptions;
  readonly #lines: LineReader;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(context: CliContext, options: PrompterOptions) {
    this.#context = context;
    this.#options = options;
    this.#lines = new LineReader(context.stdin);
    this.isInteractive = hasTerminal(context);
  }

  ask(question: Question, signal: AbortSignal): Promise<string | undefined> {
    return this.#inTurn(async () => {
      signal.throwIfAborted();
      this.#show(question);
      return this.#read(signal);
    });
  }

  lend(work: () => Promise<void>): Promise<void> {
    return this.#inTurn(work);
  }

  /** One at a time, with nothing printed in between. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const { renderer } = this.#options;
    const done = this.#turn.then(async () => {
      renderer.hold();
      try {
        return await work();
      } finally {
        renderer.resume();
      }
    });
    this.#turn = done.catch(() => {});
    return done;
  }

  #show({ build, text, error }: Question): void {
    const { stdout, stdin } = this.#context;
    const { cleaner, color } = this.#options;
    const colours = chooseColours(this.#context, color);
    const failure = error === undefined ? [] : ["", ...formatError(cleaner.error(error), colours)];
    for (const line of failure) stdout.write(`${line}\n`);
    const question = colours.bold(`==> ${cleaner.text(build)}: ${cleaner.text(text)}`);
    // At a terminal the answer ends the line.
    stdout.write(stdin.isTTY ? `${question} ` : `${question}\n`);
  }

  async #read(signal: AbortSignal): Promise<string | undefined> {
    if (this.#context.stdin.isTTY) return this.#lines.next(signal);
    using silence = timeoutSignal(this.#options.clock ?? systemClock, SILENCE_DEADLINE_MS);
    try {
      return await this.#lines.next(AbortSignal.any([signal, silence]));
    } catch (error) {
      if (signal.aborted || !silence.aborted) throw error;
      return undefined;
    }
  }
}

/** Whether somebody can be asked to choose. */
export function hasTerminal({ stdin, stdout }: CliContext): boolean {
  return stdin.isTTY === true && stdout.isTTY === true;
}
