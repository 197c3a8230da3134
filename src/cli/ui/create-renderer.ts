import type { CliContext } from "../cli-context.ts";
import type { BuildRenderer } from "./build-renderer.ts";
import { type Colours, createColours } from "./colours.ts";
import { JsonRenderer } from "./json-renderer.ts";
import { MachineReadableRenderer } from "./machine-readable-renderer.ts";
import { PlainRenderer } from "./plain-renderer.ts";
import { TerminalRenderer } from "./terminal-renderer.ts";

export interface OutputOptions {
  /** `undefined`: as the terminal and NO_COLOR say. */
  readonly color?: boolean | undefined;
  readonly timestampUi?: boolean | undefined;
  readonly machineReadable?: boolean | undefined;
  readonly json?: boolean | undefined;
}

export function createRenderer(context: CliContext, options: OutputOptions): BuildRenderer {
  const { stdout, stderr, environment } = context;
  if (options.json) return new JsonRenderer(stdout);
  if (options.machineReadable) return new MachineReadableRenderer(stdout);
  const colours = chooseColours(context, options.color);
  const textOptions = { stdout, stderr, colours, hasTimestamps: options.timestampUi ?? false };
  // A CI system shows a pseudo terminal's output as a file, each redraw a line.
  const isLive = stdout.isTTY === true && environment["TERM"] !== "dumb" && !environment["CI"];
  return isLive ? new TerminalRenderer(textOptions) : new PlainRenderer(textOptions);
}

/** Colours if they are asked for, or if a terminal shows them and nobody objects (no-color.org). */
export function chooseColours({ stdout, environment }: CliContext, isWanted?: boolean): Colours {
  const isFitting =
    (stdout.isTTY === true && environment["TERM"] !== "dumb" && !environment["NO_COLOR"]) ||
    Boolean(environment["FORCE_COLOR"]);
  return createColours(isWanted ?? isFitting);
}
