import { readFile } from "node:fs/promises";

/**
 * A plugin for esbuild. The SDK describes all of EC2 in one file of tables whose keys are computed (`{ [_xN]: _it }`).
 * Evaluating such a key could have an effect, so the bundler keeps them all: 0.8 MB, 60 ms at each start. With the names
 * written out it drops what nothing refers to.
 */
export const shakeableSchemas = {
  name: "shakeable-schemas",
  setup(bundle) {
    bundle.onLoad({ filter: /@aws-sdk\/client-[^/]+\/dist-es\/schemas\/schemas_\d+\.js$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const names = new Map(
        [...source.matchAll(/^const (_\w+) = ("[^"]*");$/gm)].map(([, name, text]) => [name, text]),
      );
      const contents = source.replaceAll(/\[(_\w+)\]:/g, (key, name) =>
        names.has(name) ? `${names.get(name)}:` : key,
      );
      return { contents, loader: "js" };
    });
  },
};

/** A plugin for esbuild. commander starts programs for subcommands that are programs: ours are not, and it takes 8 ms to load. */
export const lazyChildProcess = {
  name: "lazy-child-process",
  setup(bundle) {
    bundle.onLoad({ filter: /\/commander\/lib\/command\.js$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const contents = source
        .replace(/^const childProcess = .*$/m, "")
        .replaceAll("childProcess.spawn", "require('node:child_process').spawn");
      return { contents, loader: "js" };
    });
  },
};

/** A plugin for esbuild. jsonc-parser does not say that its files do nothing by themselves; one fills tables for what only `fix` uses. */
export const shakeableJsonParser = {
  name: "shakeable-json-parser",
  setup(bundle) {
    bundle.onResolve(
      { filter: /^jsonc-parser$|^\.\/(?:impl\/)?(?:edit|format|parser|scanner|string-intern)$/ },
      async ({ path, pluginData, ...from }) => {
        const isOfParser = path === "jsonc-parser" || /\/jsonc-parser\//.test(from.resolveDir);
        if (!isOfParser || pluginData === shakeableJsonParser.name) return undefined;
        const resolved = await bundle.resolve(path, { ...from, pluginData: shakeableJsonParser.name });
        return { ...resolved, sideEffects: false };
      },
    );
  },
};

/** Bundled CommonJS packages call `require` for Node's own modules. */
export const REQUIRE_BANNER =
  'import{createRequire as __createRequire}from"node:module";const require=__createRequire(import.meta.url);';
