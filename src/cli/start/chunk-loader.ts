import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Script } from "node:vm";

interface Module {
  exports: unknown;
}

type RunChunk = (
  this: unknown,
  exports: unknown,
  require: (name: string) => unknown,
  module: Module,
  filename: string,
) => void;

const PREFIX = "(function(exports,require,module,__filename){";

/** Where the code that V8 made of a chunk is kept. */
export function codeCachePath(path: string): string {
  return `${path}.cache`;
}

/**
 * Loads the CommonJS files that the command is built into, each with the code that V8 compiled for it when it was
 * built: compiling takes longer than all else that a short command does. V8 takes that code only if it is of its own
 * version; another Node.js compiles anew, and is slower.
 *
 * Node.js 22 has this of its own (`module.enableCompileCache`), in a directory that it writes to. Here the code lies
 * beside its source: who can change the one can change the other.
 */
export class ChunkLoader {
  readonly #modules = new Map<string, Module>();
  readonly #requirePackage = createRequire(import.meta.url);
  readonly #scripts: Map<string, Script>;

  /** @param scripts takes what is compiled, by absolute path; what is there is not compiled again. */
  constructor(scripts = new Map<string, Script>()) {
    this.#scripts = scripts;
  }

  /** Runs a file, given by its absolute path, unless it has run, and returns what it exports. */
  load(path: string): unknown {
    const known = this.#modules.get(path);
    if (known !== undefined) return known.exports;
    const module: Module = { exports: {} };
    this.#modules.set(path, module);
    const require = (name: string) =>
      name.startsWith("./") ? this.load(join(dirname(path), name)) : this.#requirePackage(name);
    const run = this.compile(path).runInThisContext() as RunChunk;
    run.call(module.exports, module.exports, require, module, path);
    return module.exports;
  }

  /** @throws {SyntaxError} if it is no JavaScript. */
  compile(path: string): Script {
    const known = this.#scripts.get(path);
    if (known !== undefined) return known;
    const source = `${PREFIX}${readFileSync(path, "utf8")}\n})`;
    const cachedData = readIfThere(codeCachePath(path));
    const script = new Script(source, {
      filename: path,
      columnOffset: -PREFIX.length,
      ...(cachedData === undefined ? {} : { cachedData }),
    });
    this.#scripts.set(path, script);
    return script;
  }
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
