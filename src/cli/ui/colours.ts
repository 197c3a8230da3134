import picocolors from "picocolors";

/** Functions that paint a text, or leave it as it is where no colours are wanted. */
export type Colours = ReturnType<typeof picocolors.createColors>;

export function createColours(isEnabled: boolean): Colours {
  return picocolors.createColors(isEnabled);
}
