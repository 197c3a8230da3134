import type { BuildContext } from "../build-context.ts";
import type { SourceImage } from "../image/find-source-image.ts";

/** How large the root disk is to be, in GiB: never smaller than the source's. */
export function planSize({ config, emit }: BuildContext, source: SourceImage): number {
  const wanted = config.root_volume_size;
  if (wanted !== undefined && wanted < source.root.sizeGib) {
    emit({
      type: "warning",
      text: `root_volume_size of ${wanted} GiB is smaller than the ${source.root.sizeGib} GiB of the source image: the volume keeps ${source.root.sizeGib} GiB`,
    });
  }
  return Math.max(wanted ?? 0, source.root.sizeGib);
}
