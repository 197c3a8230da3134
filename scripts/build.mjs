// Builds dist/cli (the command, bundled) and dist/lib (the library, plain ES modules with types).
// `--cli` builds the command only.
import { spawn } from "node:child_process";
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";
import { lazyChildProcess, shakeableJsonParser, shakeableSchemas } from "./lib/bundle-plugins.mjs";
import { commonJsChunk } from "./lib/commonjs-chunk.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);

const AS_COMMONJS = { "import.meta.url": "__filename", "import.meta.dirname": "__dirname" };

const COMPACT = { platform: "node", target: "node20.19", minifySyntax: true, minifyWhitespace: true };

async function buildCli() {
  const { version } = JSON.parse(await readFile("package.json", "utf8"));
  const options = {
    outdir: "dist/cli",
    bundle: true,
    ...COMPACT,
    // Names stay readable: a stack trace in a bug report must tell where it comes from.
    minifyIdentifiers: false,
    define: { AMIBAKE_VERSION: JSON.stringify(version) },
    legalComments: "none",
    logLevel: "warning",
    write: false,
  };
  const { outputFiles: chunks } = await build({
    ...options,
    entryPoints: { main: "src/cli/main.ts" },
    // A name of its own for each content: compiled code is kept by name.
    entryNames: "chunks/[name]-[hash]",
    chunkNames: "chunks/[name]-[hash]",
    format: "esm",
    // Each `import()` becomes a file of its own, so that `amibake version` does not pay for the AWS SDK.
    splitting: true,
    // The SDK's CommonJS entry ("main") cannot be shaken: 1.5 MB and 80 ms more to load.
    mainFields: ["module", "main"],
    // Native code, loaded from node_modules.
    external: ["koffi"],
    plugins: [shakeableSchemas, shakeableJsonParser, lazyChildProcess],
  });
  const files = await Promise.all(chunks.map(asCommonJs));
  for (const { path, contents } of files) checkAscii(path, contents);
  const main = files.find(({ path }) => basename(path).startsWith("main-"));
  const { outputFiles: start } = await build({
    ...options,
    format: "cjs",
    entryPoints: { amibake: "src/cli/start/start.ts" },
    define: { ...AS_COMMONJS, AMIBAKE_MAIN: JSON.stringify(`chunks/${basename(main.path)}`) },
  });
  const packageFile = { path: join(root, "dist/cli/package.json"), contents: '{ "type": "commonjs" }\n' };
  await replaceDirectory("dist/cli", [...start, packageFile, ...files]);
  await chmod("dist/cli/amibake.js", 0o755);
  await run(process.execPath, ["--import", "tsx", "scripts/make-code-cache.ts"]);
}

/** The command reads its files byte by byte. The bundler escapes other characters, but not in regular expressions. */
function checkAscii(path, contents) {
  const text = Buffer.from(contents).toString("latin1");
  const place = text.search(/[^\0-\x7f]/);
  if (place === -1) return;
  const around = Buffer.from(contents)
    .subarray(Math.max(0, place - 60), place + 20)
    .toString();
  throw new Error(`${basename(path)} is not ASCII: write \\u… in ${JSON.stringify(around)}`);
}

/**
 * The bundler splits ES modules only, and V8's compiled code can be kept of CommonJS only. Each becomes the function that
 * Node.js would make of it, so that no text has to be put together when it is loaded.
 */
async function asCommonJs({ path, text }) {
  const { code } = await transform(commonJsChunk(text), {
    ...COMPACT,
    format: "cjs",
    define: AS_COMMONJS,
    supported: { "dynamic-import": false },
    banner: "(function(exports,require,module,__filename){",
    footer: "})",
  });
  return { path, contents: code };
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
  await run("node_modules/.bin/tsc", ["--project", "tsconfig.lib.json"]);
}

async function run(command, args) {
  const child = spawn(command, args, { stdio: "inherit" });
  const exitCode = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
  if (exitCode !== 0) throw new Error(`Cannot build: "${command} ${args.join(" ")}" ended with exit code ${exitCode}`);
}

const isCliOnly = process.argv.includes("--cli");
await Promise.all([buildCli(), ...(isCliOnly ? [] : [buildLibrary()])]);
