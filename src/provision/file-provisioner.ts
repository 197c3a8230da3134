import { stat } from "node:fs/promises";
import { basename, join, posix } from "node:path";
import { messageOf, systemCode, ToolError } from "../base/errors.ts";
import type { FileProvisionerConfig } from "../template/schema/file-provisioner.ts";
import type { ProvisionContext } from "./provision-context.ts";
import { renderList } from "./render-list.ts";

/**
 * Moves files and directories into the image, or out of it, with their permission bits.
 *
 * @throws {ToolError} at the first that cannot be moved.
 */
export async function runFileProvisioner(config: FileProvisionerConfig, context: ProvisionContext): Promise<void> {
  const { variables } = context;
  const destination = config.destination.render(variables);
  if (config.content !== undefined) {
    await uploadContent(config.content.render(variables), destination, context);
    return;
  }
  for (const source of sourcesOf(config, context)) {
    const move = config.direction === "upload" ? upload : download;
    await move(source, destination, context);
  }
}

function sourcesOf({ source, sources }: FileProvisionerConfig, { variables }: ProvisionContext): string[] {
  return renderList(source === undefined ? sources : [source, ...sources], variables);
}

async function uploadContent(content: string, destination: string, context: ProvisionContext): Promise<void> {
  const { communicator, signal } = context;
  if (destination.endsWith("/") || (await communicator.isDirectory(destination))) {
    throw new ToolError("ERR_FILE_DESTINATION", `Cannot write the content to "${destination}": it is a directory`, {
      hint: `Name the file: "destination": "${posix.join(destination, "NAME")}"`,
    });
  }
  announce(`Writing ${destination}`, context);
  await communicator.uploadBytes(Buffer.from(content), destination, { signal });
}

async function upload(source: string, destination: string, context: ProvisionContext): Promise<void> {
  const { communicator, signal } = context;
  const isDirectory = await isHostDirectory(source);
  if (isDirectory === undefined)
    throw new ToolError("ERR_FILE_SOURCE", `Cannot upload "${source}": there is no such file`);
  announce(`Uploading ${source} => ${destination}`, context);
  if (isDirectory) await communicator.uploadDirectory(source, destination, { signal });
  else await communicator.uploadFile(source, destination, { signal });
}

async function download(source: string, destination: string, context: ProvisionContext): Promise<void> {
  const { communicator, signal } = context;
  const isDirectory = source.endsWith("/") || (await communicator.isDirectory(source));
  const intoDirectory = destination.endsWith("/") || (await isHostDirectory(destination)) === true;
  const target = intoDirectory && !isDirectory ? join(destination, posix.basename(source)) : destination;
  announce(`Downloading ${source} => ${target}`, context);
  if (isDirectory) await communicator.downloadDirectory(source, target, { signal });
  else await communicator.downloadFile(source, target, { signal });
}

/** `undefined` if there is nothing. */
async function isHostDirectory(path: string): Promise<boolean | undefined> {
  try {
    return (await stat(path)).isDirectory();
  } catch (cause) {
    if (systemCode(cause) === "ENOENT" || systemCode(cause) === "ENOTDIR") return undefined;
    throw new ToolError("ERR_FILE_SOURCE", `Cannot look at "${path}": ${messageOf(cause)}`, { cause });
  }
}

function announce(text: string, { emit }: ProvisionContext): void {
  emit({ type: "message", text });
}

/** What the provisioner moves, for a title: `app.conf`, or `/etc/app.conf` for a content. */
export function fileTitle(config: FileProvisionerConfig, context: ProvisionContext): string {
  if (config.content !== undefined) return config.destination.render(context.variables);
  const [first, ...more] = sourcesOf(config, context);
  return more.length === 0 ? basename(first ?? "") : `${basename(first ?? "")} and ${more.length} more`;
}
