// What `main.ts` gives to every command, so that none touches `process` itself.
//
// A command is an exported `async function run<Name>(arguments, options, context): Promise<ExitCode>` in `commands/`;
// `program.ts` declares its flags and loads its file only when it is called.

import type { Secrets } from "../base/secrets.ts";

export interface CliContext {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What no output may tell: of the environment, and what a command learns of. */
  readonly secrets: Secrets;
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  /** Results, and the progress of a build. */
  readonly stdout: OutputStream;
  /** Errors, and notes that are not part of the result. */
  readonly stderr: OutputStream;
  /** The argument vector that runs this very program, less its arguments: node and the script. */
  readonly selfCommand: readonly string[];
  /** `-machine-readable` stood somewhere in the arguments. */
  readonly isMachineReadable: boolean;
  /** The version in package.json. */
  readonly version: string;
  /**
   * Takes over SIGINT, SIGTERM and SIGHUP until disposed of: the first aborts the
   * signal, the second ends the process at once. A reader of standard output that
   * went away aborts it too.
   *
   * A command that does not call it is ended by the first one.
   */
  abortOnSignals(): AbortSignal & Disposable;
}

/** The part of a writable stream that is used here. */
export interface OutputStream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}
