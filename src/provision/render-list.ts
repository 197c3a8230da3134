import type { BuildVariables, Deferred } from "../template/deferred.ts";

/** The texts of a list, of which one may stand for several. @throws {ToolError} as `render` does. */
export function renderList(list: readonly Deferred[], variables: BuildVariables): string[] {
  return list.flatMap((item) => item.renderItems?.(variables) ?? item.render(variables));
}
