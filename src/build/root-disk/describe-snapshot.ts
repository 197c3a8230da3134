import type { BuildVariables } from "../../template/deferred.ts";
import type { BuildContext } from "../build-context.ts";
import type { SourceImage } from "../image/find-source-image.ts";
import { renderTags } from "../image/register-image.ts";

/** What the snapshot of a root disk says of itself, whichever way it is made. The draft tag comes on top. */
export function describeSnapshot(
  { config, buildName }: BuildContext,
  source: SourceImage,
  variables: BuildVariables,
): { readonly description: string; readonly tags: Readonly<Record<string, string>> } {
  return {
    description: `amibake: ${buildName} from ${source.imageId}`,
    tags: { ...renderTags(config.tags, variables), ...renderTags(config.snapshot_tags, variables) },
  };
}
