/** The person at the terminal, if there is one. Whoever runs the builds supplies it: a build neither prints nor reads. */
export interface Prompter {
  /** Somebody can be asked to choose: input and output are a terminal. */
  readonly isInteractive: boolean;
  /**
   * Shows a question and waits for a line. Of several builds, one asks at a time.
   *
   * @returns the line without its end; `undefined` if nobody answers: input has ended, or is no terminal and stays silent.
   * @throws the signal's reason once it aborts.
   */
  ask(question: Question, signal: AbortSignal): Promise<string | undefined>;
  /** Gives the terminal away until `work` is done: nothing else is printed or read meanwhile. */
  lend(work: () => Promise<void>): Promise<void>;
}

export interface Question {
  readonly build: string;
  readonly text: string;
  /** What went wrong, to be shown before it. */
  readonly error?: unknown;
}
