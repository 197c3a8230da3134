import type { CliContext } from "../cli-context.ts";
import { machineReadableLine } from "./machine-readable-line.ts";

/** Prints an answer: as it is, or with `-machine-readable` as Packer's. */
export function say(text: string, context: CliContext, kind: "say" | "message" = "say"): void {
  if (context.isMachineReadable) writeUiLine(kind, text, context);
  else context.stdout.write(`${text}\n`);
}

/** Tells what is not the answer. */
export function sayAside(text: string, context: CliContext): void {
  if (context.isMachineReadable) writeUiLine("error", text, context);
  else context.stderr.write(`${text}\n`);
}

function writeUiLine(kind: "say" | "message" | "error", text: string, { stdout }: CliContext): void {
  stdout.write(machineReadableLine(new Date(), "", "ui", [kind, text]));
}
