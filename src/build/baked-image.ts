import type { BlockManifest } from "../post-process/post-process-context.ts";
import type { BuildVariables } from "../template/deferred.ts";
import type { AmiArtifact } from "./build-events.ts";

/** What a builder gives back: the artifact, and what only post-processors want to know of it. */
export interface BakedImage {
  readonly artifact: AmiArtifact;
  /** For the texts of post-processors: the same as for those of provisioners. */
  readonly variables: BuildVariables;
  /** Of each snapshot, the root's first. Missing where the builder never knew its blocks. */
  readonly readBlockManifests?: () => Promise<readonly BlockManifest[]>;
}

/** As in Packer: `us-east-1:ami-0abc`; those of several regions sorted, with commas between. */
export function artifactId({ images }: AmiArtifact): string {
  return Object.entries(images)
    .map((image) => image.join(":"))
    .sort()
    .join(",");
}
