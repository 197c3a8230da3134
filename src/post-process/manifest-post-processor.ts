import { stat } from "node:fs/promises";
import { basename } from "node:path";
import type { ManifestPostProcessorConfig } from "../template/schema/manifest-post-processor.ts";
import { addToManifest, type BlockManifestEntry, type ManifestEntry } from "./manifest-file.ts";
import type { BlockManifest, PostProcessContext } from "./post-process-context.ts";

/**
 * Adds the build to a file that lists builds.
 *
 * @throws {ToolError} if the file cannot be written, or is no manifest; it is then as it was.
 */
export async function runManifestPostProcessor(
  config: ManifestPostProcessorConfig,
  context: PostProcessContext,
): Promise<void> {
  const entry = await describeBuild(config, context);
  await context.files.changeFile(config.output, (text) => addToManifest(text, entry, config.output), context);
  context.emit({ type: "message", text: `${context.artifact.id} is in ${config.output}` });
}

async function describeBuild(config: ManifestPostProcessorConfig, context: PostProcessContext): Promise<ManifestEntry> {
  const { artifact, variables } = context;
  const customData = Object.entries(config.custom_data).map(([key, text]) => [key, text.render(variables)]);
  const files = await Promise.all(artifact.files.map((path) => describeFile(path, config)));
  const blockManifests = await artifact.readBlockManifests?.();
  // What Packer leaves out is left out, and what is null there is null.
  return {
    name: context.buildName,
    builder_type: context.buildType,
    ...(config.strip_time ? {} : { build_time: Math.floor(context.clock.now() / 1000) }),
    files: files.length === 0 ? null : files,
    artifact_id: artifact.id,
    packer_run_uuid: context.runId,
    custom_data: customData.length === 0 ? null : Object.fromEntries(customData),
    ...(blockManifests === undefined ? {} : { block_manifests: blockManifests.map(blockManifestEntry) }),
  };
}

async function describeFile(path: string, { strip_path: isStripped }: ManifestPostProcessorConfig) {
  const { size } = await stat(path);
  return { name: isStripped ? basename(path) : path, size };
}

function blockManifestEntry({ snapshotId, sizeBytes, blockSizeBytes, blocks }: BlockManifest): BlockManifestEntry {
  return {
    snapshot_id: snapshotId,
    size_bytes: sizeBytes,
    block_size: blockSizeBytes,
    blocks: blocks.map(({ blockIndex, hash }) => [blockIndex, hash]),
  };
}
