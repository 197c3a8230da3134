// The file of Packer's manifest post-processor: its keys and types are Packer's, so that its readers work.
import { messageOf, ToolError } from "../base/errors.ts";

/** One build, as it stands in the file. */
export interface ManifestEntry {
  readonly name: string;
  readonly builder_type: string;
  /** Unix seconds. */
  readonly build_time?: number;
  readonly files: readonly { readonly name: string; readonly size: number }[] | null;
  readonly artifact_id: string;
  readonly packer_run_uuid: string;
  readonly custom_data: Readonly<Record<string, string>> | null;
  readonly block_manifests?: readonly BlockManifestEntry[];
}

/** amibake's own: what a snapshot holds. */
export interface BlockManifestEntry {
  readonly snapshot_id: string;
  readonly size_bytes: number;
  readonly block_size: number;
  /** Index and SHA-256 in hex, ascending by index. Blocks that are not listed are all zero. */
  readonly blocks: readonly (readonly [index: number, sha256: string | null])[];
}

/**
 * Adds a build to the text of a manifest file.
 *
 * @param text of the file; missing or empty if there is none.
 * @throws {ToolError} if it is no manifest: what is not ours is not written over.
 */
export function addToManifest(text: string | undefined, entry: ManifestEntry, path: string): string {
  const { builds, ...rest } = parseManifest(text ?? "", path);
  const manifest = { builds: [...builds, entry], ...rest, last_run_uuid: entry.packer_run_uuid };
  return `${withBlocksOnLines(JSON.stringify(manifest, null, 2))}\n`;
}

function parseManifest(text: string, path: string): { readonly builds: readonly unknown[] } {
  if (text.trim() === "") return { builds: [] };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw noManifest(path, messageOf(error));
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw noManifest(path, "it is no JSON object");
  const builds: unknown = "builds" in json ? json.builds : undefined;
  if (builds === undefined || builds === null) return { ...json, builds: [] };
  if (!Array.isArray(builds)) throw noManifest(path, 'its "builds" is no list');
  return { ...json, builds };
}

function noManifest(path: string, reason: string): ToolError {
  return new ToolError("ERR_MANIFEST", `Cannot add to the manifest "${path}": ${reason}`, {
    hint: 'Move the file away, or name another one as "output"',
  });
}

/** A line for each block, not four. In a JSON text, a quotation mark after a space or line end begins a string. */
function withBlocksOnLines(json: string): string {
  return json.replaceAll(/\[\s+(\d+),\s+"([0-9a-f]{64})"\s+\]/g, '[$1, "$2"]');
}
