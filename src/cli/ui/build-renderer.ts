import type { AmiArtifact } from "../../build/build-events.ts";
import type { ExitCode } from "../exit-codes.ts";
import type { CleanEvent, CleanLeftover } from "./clean-events.ts";
import type { ErrorReport } from "./error-report.ts";

/** How a run of builds is shown. Everything it gets is free of secrets and control characters. */
export interface BuildRenderer extends Disposable {
  event(event: CleanEvent): void;
  /** Something about the whole run. */
  note(text: string): void;
  /** The end of the run: what came out, what failed, what was left behind. Nothing may follow. */
  result(result: RunResult): void;
  /** Takes away what changes in place, until `show`. For those who have such. */
  hide?(): void;
  show?(): void;
}

export interface RunResult {
  readonly artifacts: readonly { readonly build: string; readonly artifact: AmiArtifact }[];
  readonly failures: readonly { readonly build: string; readonly error: ErrorReport }[];
  readonly leftovers: readonly CleanLeftover[];
  readonly elapsedMs: number;
  readonly exitCode: ExitCode;
}
