// Keeps the map of the code true: who may import whom, and the single doors to the outside world.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { builtinModules } from "node:module";
import { join, posix } from "node:path";
import { test } from "node:test";
import { type Import, importsOf, ROOT, readSources, type SourceFile } from "./helpers/source-files.ts";

interface Rule {
  /** Folders of ours whose code may be used. */
  readonly folders: readonly string[];
  /** Folders of which only the types may be used. */
  readonly types?: readonly string[];
  /** Packages; a trailing slash means everything under that scope. */
  readonly packages?: readonly string[];
  /** Node's own modules that may not be used. */
  readonly withoutBuiltins?: readonly string[];
}

const NETWORK = ["net", "tls", "http", "https", "http2", "dgram", "dns", "dns/promises"];
const EFFECTS = [...NETWORK, "fs", "fs/promises", "child_process", "cluster", "worker_threads", "inspector", "os"];

const ALL_BELOW_CLI = [
  ...["base", "template", "foreign-values", "aws", "linux", "provision", "post-process"],
  ...["snapshot-transfer", "block-server", "local-cloud", "build"],
];

/** What each folder of src may import, beside itself. A folder that is not named here is an error. */
const RULES: Readonly<Record<string, Rule>> = {
  base: { folders: [], packages: ["jsonc-parser"], withoutBuiltins: EFFECTS },
  template: { folders: ["base"], packages: ["zod/mini", "yaml", "bcryptjs"], withoutBuiltins: NETWORK },
  "foreign-values": { folders: ["base", "aws", "template"] },
  aws: { folders: ["base"], packages: ["@aws-sdk/", "@smithy/"] },
  linux: { folders: ["base"], packages: ["koffi"] },
  provision: { folders: ["base"], types: ["template"], withoutBuiltins: NETWORK },
  "post-process": { folders: ["base"], types: ["template"] },
  "block-server": { folders: ["aws", "linux", "base"] },
  "snapshot-transfer": { folders: ["aws", "linux", "base"], withoutBuiltins: NETWORK },
  "local-cloud": { folders: ["base", "linux"] },
  build: {
    folders: ["template", "aws", "linux", "provision", "post-process", "block-server", "snapshot-transfer", "base"],
  },
  cli: {
    folders: ALL_BELOW_CLI,
    packages: ["commander", "picocolors"],
  },
  "index.ts": {
    folders: ALL_BELOW_CLI,
  },
};

const sources = await readSources("src");
const product = sources.filter(({ path }) => !path.endsWith(".test.ts"));

/** The part of src that a path belongs to: a folder's name, or "index.ts". */
function partOf(path: string): string {
  return path.split("/")[1] ?? "";
}

/** `undefined` if it is allowed, else what is wrong with it. */
function judge(file: SourceFile, { specifier, isTypeOnly }: Import): string | undefined {
  const part = partOf(file.path);
  const rule = RULES[part];
  if (rule === undefined) return `"${part}" has no rule in test/tidy.test.ts`;
  if (specifier.startsWith("(")) return "names its module at run time";
  if (specifier.startsWith(".")) {
    const target = partOf(posix.join(posix.dirname(file.path), specifier));
    if (!/\.(?:ts|json)$/.test(specifier)) return "does not end in .ts";
    if (target === part || rule.folders.includes(target)) return undefined;
    if (rule.types?.includes(target)) return isTypeOnly ? undefined : `may use the types of "${target}" only`;
    return `"${part}" may not import "${target}"`;
  }
  const builtin = specifier.replace(/^node:/, "");
  if (builtinModules.includes(builtin)) {
    if (!specifier.startsWith("node:")) return "lacks node:";
    return rule.withoutBuiltins?.includes(builtin) ? `"${part}" may not use it` : undefined;
  }
  const isAllowed = rule.packages?.some((name) =>
    name.endsWith("/") ? specifier.startsWith(name) : specifier === name,
  );
  return isAllowed ? undefined : `"${part}" may not use that package`;
}

test("each folder imports only what the map allows", () => {
  const wrong = product.flatMap((file) =>
    importsOf(file.code).flatMap((found) => {
      const reason = judge(file, found);
      return reason === undefined ? [] : [`${file.path}:${found.line} imports "${found.specifier}": ${reason}`];
    }),
  );
  assert.deepEqual(wrong, []);
});

test("src/index.ts only re-exports", () => {
  const index = product.find(({ path }) => path === "src/index.ts");
  assert.ok(index !== undefined);
  const rest = index.code.replace(/^export (?:type )?\{[^}]*\} from "[^"]+";$/gm, "").trim();
  assert.equal(rest, "");
});

interface Door {
  readonly what: string;
  readonly pattern: RegExp;
  /** Files, or folders with a trailing slash. */
  readonly behind: readonly string[];
}

const DOORS: readonly Door[] = [
  {
    what: "starts processes",
    pattern: /"node:child_process"|process\.binding|posix[-_]spawn/,
    behind: ["src/linux/run-command.ts", "src/linux/posix-spawn.ts"],
  },
  { what: "uses the AWS SDK", pattern: /"@(?:aws-sdk|smithy)\//, behind: ["src/aws/"] },
  { what: "prints", pattern: /\bconsole\.|(?<![.\w])process\.std(?:out|err)\b/, behind: ["src/cli/"] },
  {
    what: "ends the process or sets its exit code",
    pattern: /process\.(?:exit|abort|reallyExit|exitCode)\b/,
    behind: ["src/cli/main.ts"],
  },
  { what: "reads the environment", pattern: /process\.env\b/, behind: ["src/cli/main.ts", "src/aws/credentials.ts"] },
];

for (const { what, pattern, behind } of DOORS) {
  test(`only ${behind.join(" and ")} ${what}`, () => {
    const global = new RegExp(pattern.source, "g");
    const wrong = product
      .filter(({ path }) => !behind.some((door) => (door.endsWith("/") ? path.startsWith(door) : path === door)))
      .flatMap(({ path, code }) =>
        [...code.matchAll(global)].map(
          ({ 0: found, index }) => `${path}:${code.slice(0, index).split("\n").length} has ${found}`,
        ),
      );
    assert.deepEqual(wrong, []);
  });
}

test("nothing calls Node's recursive mkdir, which never ends below /proc: src/linux/files/make-directories.ts", () => {
  const wrong = product.filter(({ code }) => /\bmkdir(?:Sync)?\([^;]*?\brecursive:/.test(code));
  assert.deepEqual(
    wrong.map(({ path }) => path),
    [],
  );
});

test("nothing has a default export", () => {
  assert.deepEqual(
    sources.filter(({ code }) => /^export default\b|\bas default\b/m.test(code)).map(({ path }) => path),
    [],
  );
});

test("every error code is documented, and every documented code exists", async () => {
  const documented = new Set<string>();
  const twice: string[] = [];
  for (const [, code = ""] of (await readFile(join(ROOT, "docs/errors.md"), "utf8")).matchAll(/^\|\s*`?(ERR_\w+)/gm)) {
    if (documented.has(code)) twice.push(code);
    documented.add(code);
  }
  const used = new Set(
    product.flatMap(({ code }) => [...code.matchAll(/"(ERR_[A-Z0-9_]+)"/g)].map((match) => match[1] ?? "")),
  );
  assert.deepEqual(twice, [], "documented twice");
  assert.deepEqual([...used].filter((code) => !documented.has(code)).sort(), [], "not in docs/errors.md");
  assert.deepEqual(
    [...documented].filter((code) => !used.has(code)).sort(),
    [],
    "in docs/errors.md, but nowhere in src",
  );
});

test("whoever turns a check off says why", async () => {
  const all = [
    ...sources,
    ...(await readSources("test")),
    ...(await readSources("bench")),
    ...(await readSources("scripts")),
  ];
  const wrong = all.flatMap(({ path, text }) =>
    text.split("\n").flatMap((line, index) => {
      // Put together, so that this line is not one of them.
      const [, reason] =
        new RegExp(["(?:biome-", "ignore|@ts-", "(?:ignore|expect-error|nocheck))(.*)"].join("")).exec(line) ?? [];
      if (reason === undefined || /: \S+ \S+/.test(reason)) return [];
      return [`${path}:${index + 1}`];
    }),
  );
  assert.deepEqual(wrong, []);
});

test("no file names a path of the machine it was written on", async () => {
  const all = [
    ...sources,
    ...(await readSources("test")),
    ...(await readSources("bench")),
    ...(await readSources("scripts")),
  ];
  const pattern = new RegExp(["(?<![\\w.])/wo", "rk/"].join(""));
  assert.deepEqual(
    all.filter(({ text }) => pattern.test(text)).map(({ path }) => path),
    [],
  );
});
