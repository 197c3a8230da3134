import { ToolError } from "../base/errors.ts";
import type { BreakpointProvisionerConfig } from "../template/schema/breakpoint-provisioner.ts";
import type { ProvisionContext } from "./provision-context.ts";

/**
 * Pauses the build until somebody lets it go on.
 *
 * @throws {ToolError} where nobody can, as in Packer: a breakpoint that was forgotten must not hang a CI job.
 */
export async function runBreakpoint(config: BreakpointProvisionerConfig, context: ProvisionContext): Promise<void> {
  if (config.disable) {
    context.emit({ type: "message", text: "This breakpoint is disabled: going on" });
    return;
  }
  const text = `Paused at the ${breakpointTitle(config, context)}`;
  if (await context.pause?.(text, context.signal)) return;
  throw new ToolError("ERR_BREAKPOINT", "Cannot pause at the breakpoint: nobody answers on standard input", {
    hint: 'Run it in a terminal, or turn the breakpoint off: "disable": true',
  });
}

/** `breakpoint: before the tests`, or `breakpoint` without a note. */
export function breakpointTitle({ note }: BreakpointProvisionerConfig, { variables }: ProvisionContext): string {
  const text = note?.render(variables) ?? "";
  return text === "" ? "breakpoint" : `breakpoint: ${text}`;
}
