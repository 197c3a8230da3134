import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/**
 * A package that few templates need, loaded when a function is called. `import()` would make evaluation wait, and in the
 * bundle the package would be read at every start: it is loaded from node_modules.
 */
export function loadYaml(): typeof import("yaml") {
  return require("yaml") as typeof import("yaml");
}

export function loadBcrypt(): typeof import("bcryptjs") {
  return require("bcryptjs") as typeof import("bcryptjs");
}
