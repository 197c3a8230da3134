// Builds dist/cli (the command, bundled) and dist/lib (the library, plain ES modules with types).
// `--cli` builds the command only.
import { spawn } from "node:child_process";
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { REQUIRE_BANNER, shakeableSchemas } from "./lib/shakeable-schemas.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);

async function buildCli() {
  const { version } = JSON.parse(await readFile("package.json", "utf8"));
  const { outputFiles } = await build({
    entryPoints: [{ in: "src/cli/main.ts", out: "amibake" }],
    outdir: "dist/cli",
    chunkNames: "chunks/[name]-[hash]",
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    // Each `import()` becomes a file of its own, so that `amibake version` does not pay for the AWS SDK.
    splitting: true,
    // The SDK's CommonJS entry ("main") cannot be shaken: 1.5 MB and 80 ms more to load.
    mainFields: ["module", "main"],
    minifySyntax: true,
    minifyWhitespace: true,
    // Names stay readable: a stack trace in a bug report must tell where it comes from.
    minifyIdentifiers: false,
    // Native code, loaded from node_modules.
    external: ["koffi"],
    plugins: [shakeableSchemas],
    banner: { js: REQUIRE_BANNER },
    define: { AMIBAKE_VERSION: JSON.stringify(version) },
    legalComments: "none",
    logLevel: "warning",
    write: false,
  });
  await replaceDirectory("dist/cli", outputFiles);
  await chmod("dist/cli/amibake.js", 0o755);
}

/** Chunks first and the entry last, each at once: whoever starts the command meanwhile gets the old one or the new. */
async function replaceDirectory(directory, files) {
  const entryLast = files.toSorted((a, b) => Number(b.path.includes("/chunks/")) - Number(a.path.includes("/chunks/")));
  for (const file of entryLast) {
    await mkdir(dirname(file.path), { recursive: true });
    const temporary = `${file.path}.${process.pid}`;
    await writeFile(temporary, file.contents);
    await rename(temporary, file.path);
  }
  const current = new Set(files.map((file) => file.path));
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(root, entry.parentPath, entry.name);
    if (entry.isFile() && !current.has(path)) await rm(path);
  }
}

async function buildLibrary() {
  await rm("dist/lib", { recursive: true, force: true });
  const compiler = spawn("node_modules/.bin/tsc", ["--project", "tsconfig.lib.json"], { stdio: "inherit" });
  const exitCode = await new Promise((resolve, reject) => {
    compiler.once("error", reject);
    compiler.once("exit", (code) => resolve(code ?? 1));
  });
  if (exitCode !== 0) throw new Error(`Cannot build the library: tsc ended with exit code ${exitCode}`);
}

const isCliOnly = process.argv.includes("--cli");
await Promise.all([buildCli(), ...(isCliOnly ? [] : [buildLibrary()])]);
