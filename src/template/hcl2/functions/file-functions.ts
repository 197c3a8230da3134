import { readFileSync, statSync } from "node:fs";
import { isAbsolute, join, normalize, relative, resolve } from "node:path";
import { systemCode } from "../../../base/errors.ts";
import { boolValue, setValue, stringValue } from "../values/construct.ts";
import { BOOL, STRING } from "../values/value.ts";
import { badArgument, blame, type HclFunctionGroup, textAt, textFunction, textParameter } from "./arguments.ts";
import { findFiles, GlobError } from "./find-files.ts";
import { decodeUtf8, EncodingError } from "./text-encoding.ts";

export interface FilePlaces {
  /** Where relative paths of files begin: the directory of the template. */
  readonly baseDirectory: string;
  readonly workingDirectory: string;
  /** What `~` stands for; missing if nobody knows. */
  readonly homeDirectory: string | undefined;
}

const path = { parameters: ["path"] };

export function fileFunctions(places: FilePlaces): HclFunctionGroup {
  return {
    abspath: textFunction(
      {
        usage: 'abspath("files")',
        summary: "The path from the root on; a relative one begins at the working directory",
        ...path,
      },
      (name = "") => resolve(places.workingDirectory, name),
    ),
    basename: textFunction({ usage: 'basename("a/b.txt")', summary: "The last part of a path", ...path }, baseName),
    dirname: textFunction(
      { usage: 'dirname("a/b.txt")', summary: "The path without its last part", ...path },
      directoryName,
    ),
    file: textFunction(
      {
        usage: 'file("motd.txt")',
        summary: "The text of a file, which must be UTF-8; a relative path begins at the template",
        ...path,
      },
      (name = "") => readTextFile(name, places),
    ),
    filebase64: textFunction(
      { usage: 'filebase64("key.der")', summary: "The bytes of a file in base64", ...path },
      (name = "") => readBytes(name, places).toString("base64"),
    ),
    fileexists: {
      usage: 'fileexists("motd.txt")',
      summary: "Whether there is a regular file of that path",
      parameters: [textParameter("path")],
      returnType: BOOL,
      call: (args) => boolValue(isFile(textAt(args, 0), places)),
    },
    fileset: {
      usage: 'fileset("files", "**/*.sh")',
      summary:
        "The regular files below a directory whose path fits a pattern: * ? [a-z] {a,b} and ** for any directories",
      parameters: [textParameter("path"), textParameter("pattern")],
      returnType: { kind: "set", element: STRING },
      call: (args) => {
        const directory = resolve(places.baseDirectory, textAt(args, 0));
        const found = blame(GlobError, 1, () => findFiles(directory, textAt(args, 1)));
        return setValue(STRING, found.map(stringValue));
      },
    },
    pathexpand: textFunction(
      {
        usage: 'pathexpand("~/.ssh/id_rsa")',
        summary: "The path with the home directory for a ~ at its begin",
        ...path,
      },
      (name = "") => expandHome(name, places),
    ),
  };
}

// No template needs more; /dev/zero would give more than there is memory.
const FILE_BYTES_MAX = 48 * 1024 ** 2;

/** @throws {HclFunctionError} for argument 0. */
export function readTextFile(name: string, places: FilePlaces): string {
  const bytes = readBytes(name, places);
  try {
    return decodeUtf8(bytes);
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error;
    throw badArgument(0, `"${name}" is no text in UTF-8`, `Use filebase64("${name}")`);
  }
}

function readBytes(name: string, places: FilePlaces): Buffer {
  const file = filePath(name, places);
  try {
    const { size } = statSync(file);
    if (size > FILE_BYTES_MAX) throw badArgument(0, `"${file}" is larger than ${FILE_BYTES_MAX / 1024 ** 2} MiB`);
    if (!statSync(file).isFile()) throw badArgument(0, `"${file}" is no regular file`);
    return readFileSync(file);
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    if (code !== "ENOENT") throw badArgument(0, `"${file}" cannot be read: ${code}`);
    throw badArgument(0, `there is no file "${file}"`, templatePathHint(name, places));
  }
}

/** Many write `file("${path.root}/name")`, which works only if `path.root` is absolute or `.`, as in Packer. */
function templatePathHint(name: string, { baseDirectory, workingDirectory }: FilePlaces): string | undefined {
  const fromTemplate = relative(resolve(workingDirectory, baseDirectory), resolve(workingDirectory, name));
  if (isAbsolute(name) || name.startsWith("~") || fromTemplate.startsWith("..")) return undefined;
  return `Paths begin at the template's directory: write "${fromTemplate}", or abspath(path.root) before it`;
}

function isFile(name: string, places: FilePlaces): boolean {
  const file = filePath(name, places);
  try {
    if (statSync(file).isFile()) return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT") return false;
    throw badArgument(0, `"${file}" cannot be looked at: ${code}`);
  }
  throw badArgument(0, `"${file}" is there, but is no regular file`);
}

function filePath(name: string, places: FilePlaces): string {
  if (name.includes("\0")) throw badArgument(0, "a path has no NUL in it");
  const expanded = expandHome(name, places);
  return isAbsolute(expanded) ? normalize(expanded) : join(places.baseDirectory, expanded);
}

function expandHome(name: string, { homeDirectory }: FilePlaces): string {
  if (!name.startsWith("~")) return name;
  if (name !== "~" && !name.startsWith("~/")) {
    throw badArgument(0, `the home directory of another user is not looked up: "${name}"`, "Write the path in full");
  }
  if (homeDirectory === undefined) throw badArgument(0, "the home directory is not known", "Set HOME");
  return join(homeDirectory, name.slice(1));
}

// As Go's path/filepath: Node's leave out a slash at the end.
function baseName(name = ""): string {
  if (name === "") return ".";
  return /([^/]+)\/*$/.exec(name)?.[1] ?? "/";
}

function directoryName(name = ""): string {
  const directory = normalize(name.slice(0, name.lastIndexOf("/") + 1) || ".");
  return directory.length > 1 ? directory.replace(/\/$/, "") : directory;
}
