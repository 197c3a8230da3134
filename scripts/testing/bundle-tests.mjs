// Bundles test files, and programs that tests start, each to a file of its own: they then start without a compiler,
// and load of the AWS SDK what they use. That is 0.3 to 1.5 s less of a processor for each start.
//
//   node scripts/testing/bundle-tests.mjs OUTPUT_DIRECTORY FILE...
//
// Files are named from the repository on; src/a.test.ts becomes OUTPUT_DIRECTORY/src/a.test.js.
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { REQUIRE_BANNER, shakeableSchemas } from "../lib/bundle-plugins.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
process.chdir(root);

/** Tests look for their fixtures, and some for their sources, beside themselves. */
const placesOfSources = {
  name: "places-of-sources",
  setup(bundle) {
    bundle.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      if (path.includes("/node_modules/")) return undefined;
      const url = pathToFileURL(path);
      const source = await readFile(path, "utf8");
      const contents = source
        .replaceAll("import.meta.dirname", JSON.stringify(dirname(path)))
        .replaceAll("import.meta.filename", JSON.stringify(path))
        .replaceAll("import.meta.url", JSON.stringify(url.href))
        .replaceAll(/import\.meta\.resolve\("(\.[^"]+)"\)/g, (_, name) => JSON.stringify(new URL(name, url).href));
      return { contents, loader: "ts" };
    });
  },
};

const [outdir, ...entryPoints] = process.argv.slice(2);
await build({
  entryPoints,
  outdir,
  outbase: root,
  chunkNames: "chunks/[name]-[hash]",
  bundle: true,
  // What many tests use is there once, and is one thing to all modules of a test.
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  mainFields: ["module", "main"],
  external: ["koffi", "esbuild"],
  plugins: [shakeableSchemas, placesOfSources],
  banner: { js: REQUIRE_BANNER },
  sourcemap: "linked",
  sourcesContent: false,
  logLevel: "warning",
});
