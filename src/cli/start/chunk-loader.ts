import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
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

/** Where the code that V8 made of a chunk is kept. */
export function codeCachePath(path: string): string {
  return `${path}.cache`;
}

/**
 * Loads the files that the command is built into, each a function with a CommonJS module in it (`scripts/build.mjs`), with the code that V8 compiled for it when it was
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
  // Larger than nearly all files, with their compiled code.
  #buffer = Buffer.allocUnsafeSlow(512 * 1024);

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
    // The bundler writes ASCII.
    const source = this.#read(path).toString("latin1");
    const cachedData = this.#readIfThere(codeCachePath(path));
    // Stack traces show it, of compiled code that of whoever compiled it: no place, as that may be another host. By way of
    // a buffer, as V8 keeps a part of a text together with the whole.
    const filename = Buffer.from(`amibake/${basename(path)}`).toString();
    const script = new Script(source, { filename, ...(cachedData === undefined ? {} : { cachedData }) });
    this.#scripts.set(path, script);
    return script;
  }

  #readIfThere(path: string): Buffer | undefined {
    try {
      return this.#read(path);
    } catch {
      return undefined;
    }
  }

  /**
   * Reads a file into the memory of the one before: what is new to the process must be got from the kernel page by page, and
   * that takes longer than the reading.
   *
   * @returns bytes that are good until the next call.
   */
  #read(path: string): Buffer {
    const file = openSync(path, "r");
    try {
      const { size } = fstatSync(file);
      if (size > this.#buffer.length) this.#buffer = Buffer.allocUnsafeSlow(size);
      return this.#buffer.subarray(0, readSync(file, this.#buffer, 0, size, 0));
    } finally {
      closeSync(file);
    }
  }
}
