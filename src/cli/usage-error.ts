import { ToolError } from "../base/errors.ts";

/** The command line cannot be understood. */
export function usageError(message: string, hint?: string): ToolError {
  return new ToolError("ERR_USAGE", message, { fault: "usage", hint });
}

/** A part of Packer's command line that amibake knows of and does not have yet. */
export function unsupported(what: string, hint?: string): ToolError {
  return new ToolError("ERR_UNSUPPORTED", `Cannot use ${what}: this version of amibake does not support it`, {
    fault: "usage",
    hint,
  });
}
