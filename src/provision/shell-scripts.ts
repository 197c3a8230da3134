import { readFile } from "node:fs/promises";
import { messageOf, systemCode, ToolError } from "../base/errors.ts";
import type { BuildVariables } from "../template/deferred.ts";
import type { ShellProvisionerConfig } from "../template/schema/shell-provisioner.ts";
import { renderList } from "./render-list.ts";

/** A script that is to run in the image. */
export interface ShellScript {
  /** The path on this host, or "inline". */
  readonly name: string;
  /** @throws {ToolError} if the file cannot be read. */
  readonly read: () => Promise<Uint8Array>;
}

/** The scripts of a provisioner, in the order in which they run. */
export function shellScripts(config: ShellProvisionerConfig, variables: BuildVariables): ShellScript[] {
  const { inline, script, scripts, binary } = config;
  const paths = script === undefined ? scripts : [script, ...scripts];
  const files = paths.map((path) => ({ name: path, read: async () => unixLines(await readScript(path), binary) }));
  if (inline === undefined || inline.length === 0) return files;
  const read = async () => unixLines(Buffer.from(inlineScript(config, variables)), binary);
  return [{ name: "inline", read }, ...files];
}

function inlineScript({ inline = [], inline_shebang }: ShellProvisionerConfig, variables: BuildVariables): string {
  const text = renderList(inline, variables)
    .map((line) => `${line}\n`)
    .join("");
  // The user's own first line is kept, unless inline_shebang says otherwise.
  const shebang = inline_shebang ?? (text.startsWith("#!") ? undefined : "/bin/sh -e");
  return shebang === undefined ? text : `#!${shebang}\n${text}`;
}

async function readScript(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const reason = systemCode(cause) === "ENOENT" ? "there is no such file" : messageOf(cause);
    throw new ToolError("ERR_SCRIPT_READ", `Cannot read the script "${path}": ${reason}`, { cause });
  }
}

const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;

/** Windows line ends would become part of each command, and of the interpreter's name. */
function unixLines(content: Uint8Array, binary: boolean): Uint8Array {
  if (binary) return content;
  return content.filter((byte, index) => byte !== CARRIAGE_RETURN || content[index + 1] !== LINE_FEED);
}
