import type { Clock } from "../base/clock.ts";
import type { BuildVariables } from "../template/deferred.ts";
import type { Communicator } from "./communicator.ts";
import type { ProvisionEvent } from "./provision-events.ts";

/** What a provisioner works with. */
export interface ProvisionContext {
  readonly communicator: Communicator;
  /** What ``build `SourceAMI` `` and its like stand for. */
  readonly variables: BuildVariables;
  readonly buildName: string;
  readonly buildType: string;
  /** Aborting ends the provisioner and what it runs. */
  readonly signal: AbortSignal;
  readonly emit: (event: ProvisionEvent) => void;
  /**
   * Shows a text and waits until somebody lets the build go on.
   *
   * @returns whether anybody could be asked. Missing: nobody can.
   */
  readonly pause?: (text: string, signal: AbortSignal) => Promise<boolean>;
  /** Of pauses and timeouts. */
  readonly clock: Clock;
}
