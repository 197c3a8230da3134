import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { runCommand } from "../../src/linux/run-command.ts";
import { amibakeCommand, runAmibake } from "../helpers/amibake-cli.ts";

async function temporaryDirectory(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "amibake-cli-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

const TEMPLATE = {
  variables: { password: "hunter2", region: "us-east-1" },
  "sensitive-variables": ["password"],
  builders: [{ type: "amazon-chroot", region: "{{user `region`}}", ami_name: "web", source_ami: "ami-0abc" }],
  provisioners: [{ type: "shell", inline: ["echo {{user `password`}}"] }],
};

test("version prints the version of package.json, in every spelling", async () => {
  const packageJson = JSON.parse(await readFile("package.json", "utf8")) as { version: string };
  for (const spelling of ["version", "-version", "--version", "-v"]) {
    const { exitCode, stdout, stderr } = await runAmibake([spelling]);
    assert.deepEqual(
      { exitCode, stdout, stderr },
      { exitCode: 0, stdout: `amibake v${packageJson.version}\n`, stderr: "" },
    );
  }
});

test("version -machine-readable prints Packer's lines", async () => {
  const { exitCode, stdout } = await runAmibake(["-machine-readable", "version"]);
  assert.equal(exitCode, 0);
  assert.match(stdout, /^\d+,,ui,say,amibake v(\S+)\n\d+,,version,\1\n\d+,,version-prelease,\n\d+,,version-commit,\n$/);
});

test("version loads next to nothing before it answers", async () => {
  const [, entry = ""] = await amibakeCommand();
  const [, main = ""] = /"(chunks\/main-[^"]+)"/.exec(await readFile(entry, "utf8")) ?? [];
  const path = join(dirname(entry), main);
  // The bundler's own helpers come as a file of their own. What is loaded later stands behind an arrow.
  const loaded = [...(await readFile(path, "utf8")).matchAll(/(?<!=>)require\("(\.\/[^"]+)"\)/g)].map(([, name = ""]) =>
    join(dirname(path), name),
  );
  const bytes = await Promise.all([entry, path, ...loaded].map(async (file) => (await stat(file)).size));
  assert.ok(loaded.length <= 1, `it loads ${loaded.join(", ")}`);
  assert.ok(bytes.reduce((sum, size) => sum + size, 0) < 8192, `it loads ${bytes.join(" + ")} bytes`);
});

test("this Node takes the compiled code of every file of the command", async () => {
  const [, entry = ""] = await amibakeCommand();
  const directory = join(dirname(entry), "chunks");
  const chunks = (await readdir(directory)).filter((name) => name.endsWith(".js")).map((name) => join(directory, name));
  assert.ok(chunks.length > 0);
  // In a process of its own: here V8 would remember what it has compiled.
  const look = `
    import { ChunkLoader } from ${JSON.stringify(import.meta.resolve("../../src/cli/start/chunk-loader.ts"))};
    import { keepYoungGenerationSmall } from ${JSON.stringify(import.meta.resolve("../../src/cli/start/v8-flags.ts"))};
    keepYoungGenerationSmall();
    const scripts = new Map();
    for (const path of process.argv.slice(1)) new ChunkLoader(scripts).compile(path);
    console.log(JSON.stringify([...scripts.values()].map((script) => script.cachedDataRejected)));`;
  const argv = [process.execPath, "--import", "tsx", "--input-type=module", "-e", look, "--", ...chunks];
  const { stdout } = await runCommand(argv);
  assert.deepEqual(new Set(JSON.parse(stdout.toString())), new Set([false]));
});

test("--help lists the commands and the exit codes", async () => {
  const { exitCode, stdout, stderr } = await runAmibake(["--help"]);
  assert.equal(exitCode, 0);
  assert.equal(stderr, "");
  for (const command of ["build", "validate", "doctor", "version"])
    assert.match(stdout, new RegExp(`^ {2}${command}\\b`, "m"));
  for (const code of [0, 1, 2, 3, 4, 130]) assert.match(stdout, new RegExp(`^ {2}${code} +\\S`, "m"));
});

test("build --help lists its flags and the exit codes, with one dash too", async () => {
  for (const help of ["--help", "-help", "-h"]) {
    const { exitCode, stdout } = await runAmibake(["build", help]);
    assert.equal(exitCode, 0, help);
    for (const flag of [
      "--var ",
      "--var-file ",
      "--only ",
      "--except ",
      "--parallel-builds ",
      "--timestamp-ui",
      "--local",
    ]) {
      assert.ok(stdout.includes(`  ${flag}`), flag);
    }
    assert.match(stdout, /^Exit codes:$/m);
  }
});

test("each command describes itself as the help of it does", async () => {
  const { stdout: all } = await runAmibake(["--help"]);
  const names = [...all.matchAll(/^ {2}([a-z]+)\b.* {2}\S/gm)]
    .map(([, name = ""]) => name)
    .filter((name) => name !== "help");
  assert.ok(names.length > 10, names.join());
  for (const name of names) {
    const [described, helped] = [await runAmibake([name, "--help"]), await runAmibake(["help", name])];
    assert.deepEqual({ name, ...described }, { name, ...helped });
    assert.match(described.stdout, new RegExp(`^Usage: amibake ${name}\\b`));
  }
});

const MISSPELT = (
  [
    [["help", "biuld"], "biuld", "build"],
    [["cache", "statsu"], "cache statsu", "cache status"],
    [["local", "strt"], "local strt", "local start"],
    [["help", "local", "strt"], "local strt", "local start"],
    [["local", "help", "strt"], "local strt", "local start"],
    [["snapshot", "uplod"], "snapshot uplod", "snapshot upload"],
  ] as const
).map(([args, name, meant]): [readonly string[], string] => [
  args,
  `Error: Cannot run "${name}": there is no such command\n  hint: Did you mean "amibake ${meant}"?\n`,
]);

const WRONG: readonly [args: readonly string[], stderr: string][] = [
  [[], 'Error: Cannot run amibake without a command\n  hint: Run "amibake --help"\n'],
  [
    ["help", "nope"],
    'Error: Cannot run "nope": there is no such command\n  hint: Run "amibake --help": it lists the commands\n',
  ],
  ...MISSPELT,
  [["biuld"], 'Error: Cannot run "biuld": there is no such command\n  hint: Did you mean "amibake build"?\n'],
  [
    ["hcl2_upgrade", "t.json"],
    'Error: Cannot use the command "hcl2_upgrade": this version of amibake does not support it\n',
  ],
  [
    ["build", "-onerror=ask", "t.json"],
    'Error: Cannot read the command line: unknown option "--onerror"\n  hint: Did you mean --on-error?\n',
  ],
  // Options of other commands.
  [
    ["inspect", "--local", "t.json"],
    'Error: Cannot read the command line: unknown option "--local"\n  hint: Run "amibake inspect --help"\n',
  ],
  [
    ["local", "status", "-store-size=1"],
    'Error: Cannot read the command line: unknown option "--store-size"\n  hint: Run "amibake local status --help"\n',
  ],
  [
    ["validate", "-no-warn-undeclared-vars", "t.json"],
    'Error: Cannot read the command line: unknown option "--no-warn-undeclared-vars"\n  hint: Did you mean --no-warn-undeclared-var?\n',
  ],
  [
    ["build"],
    'Error: Cannot read the command line: missing required argument "template"\n  hint: Run "amibake build --help"\n',
  ],
  [
    ["build", "a.json", "b.json"],
    'Error: Cannot read the command line: too many arguments for "build": Expected 1 argument but got 2\n  hint: Run "amibake build --help"\n',
  ],
  [
    ["build", "-on-error=explode", "t.json"],
    'Error: Cannot read the command line: option "--on-error <what>" argument "explode" is invalid: Allowed choices are cleanup, abort, ask, run-cleanup-provisioner\n  hint: Run "amibake build --help"\n',
  ],
  [
    ["build", "-parallel-builds=-1", "t.json"],
    'Error: Cannot read the command line: option "--parallel-builds <number>" argument "-1" is invalid: it is not a whole number\n  hint: Run "amibake build --help"\n',
  ],
  [
    ["build", "-x", "t.json"],
    'Error: Cannot read the command line: unknown option "-x"\n  hint: Run "amibake build --help"\n',
  ],
  [["build", "-color=perhaps", "t.json"], 'Error: Cannot read "-color=perhaps" as true or false\n'],
  [
    ["validate", "-var", "hunter2", "t.json"],
    "Error: Cannot read the value of -var: it is not of the form name=value\n  hint: Write -var 'name=value'\n",
  ],
  [
    ["build", "-force", "t.json"],
    "Error: Cannot use -force: this version of amibake does not support it\n  hint: Deregister the image of that name first: aws ec2 deregister-image\n",
  ],
  [
    ["local", "start", "--no-such-option"],
    'Error: Cannot read the command line: unknown option "--no-such-option"\n  hint: Run "amibake local start --help"\n',
  ],
];

for (const [args, expected] of WRONG) {
  test(`amibake ${args.join(" ")} exits 2 and says what to do`, async () => {
    const { exitCode, stdout, stderr } = await runAmibake(args);
    assert.deepEqual({ exitCode, stdout, stderr }, { exitCode: 2, stdout: "", stderr: expected });
  });
}

test("-warn-on-undeclared-var tells of values that the template does not know", async () => {
  await using directory = await temporaryDirectory();
  const [template, values] = [join(directory.path, "t.json"), join(directory.path, "values.json")];
  await writeFile(template, JSON.stringify(TEMPLATE));
  await writeFile(values, '{"nobody_knows": "x"}');
  // It gets no further than to the host: an endpoint that nobody serves.
  const env = { AWS_EC2_METADATA_SERVICE_ENDPOINT: "http://127.0.0.1:9", AWS_REGION: "us-east-1" };
  for (const flags of [[], ["-warn-on-undeclared-var"]]) {
    const { stdout, stderr } = await runAmibake(["build", ...flags, `-var-file=${values}`, template], { env });
    assert.equal(/Warning: .*"nobody_knows", which the variable file sets/.test(stdout + stderr), flags.length > 0);
  }
});

test("a wrong usage with --json is an error as JSON on standard output", async () => {
  const { exitCode, stdout, stderr } = await runAmibake(["build", "--json", "-force", "t.json"]);
  assert.equal(exitCode, 2);
  assert.equal(stderr, "");
  const { time, ...record } = JSON.parse(stdout) as { time: string };
  assert.ok(!Number.isNaN(Date.parse(time)));
  assert.deepEqual(record, {
    type: "error",
    error: {
      code: "ERR_UNSUPPORTED",
      message: "Cannot use -force: this version of amibake does not support it",
      causes: [],
      hint: "Deregister the image of that name first: aws ec2 deregister-image",
      cleanup: [],
    },
    exitCode: 2,
  });
});

test("validate accepts a right template, from a file and from standard input", async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, "t.json");
  await writeFile(path, JSON.stringify(TEMPLATE));
  for (const args of [
    ["validate", path],
    ["validate", "-"],
  ]) {
    const { exitCode, stdout, stderr } = await runAmibake(args, { input: JSON.stringify(TEMPLATE) });
    assert.deepEqual(
      { exitCode, stdout, stderr },
      { exitCode: 0, stdout: "The configuration is valid.\n", stderr: "" },
    );
  }
});

test("validate -machine-readable prints lines of Packer's format", async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, "t.json");
  await writeFile(path, JSON.stringify({ ...TEMPLATE, "sensitive-variables": ["none"] }));
  const { exitCode, stdout, stderr } = await runAmibake(["validate", "-machine-readable", path]);
  assert.deepEqual([exitCode, stderr], [0, ""]);
  assert.match(stdout, /^\d+,,ui,error,Warning: .*"none".*\n\d+,,ui,say,The configuration is valid\.\n$/);
  const syntax = await runAmibake(["-machine-readable", "validate", "-syntax-only", path]);
  assert.match(syntax.stdout, /^\d+,,ui,say,Syntax-only check passed\. Everything looks okay\.\n$/);
});

test("validate tells every problem at once, with file, line and column, and exits 2", async () => {
  await using directory = await temporaryDirectory();
  const { source_ami: _, ...builder } = { ...TEMPLATE.builders[0], source_ami: "", ami_nam: "web", ena_support: [] };
  const path = join(directory.path, "t.json");
  await writeFile(path, JSON.stringify({ builders: [builder] }, undefined, 2));
  const { exitCode, stdout, stderr } = await runAmibake(["validate", path]);
  assert.equal(exitCode, 2);
  assert.equal(stdout, "");
  assert.match(stderr, /^Error: Cannot use the template ".*t\.json": it has \d problems\n/);
  assert.match(stderr, /^ {2}.*t\.json:\d+:\d+: .*ami_nam/m);
  assert.match(stderr, /^ {2}.*t\.json:\d+:\d+: .*ena_support/m);
  assert.match(stderr, /source_ami/);
  assert.match(stderr, /ami_name/);
});

test("validate -syntax-only looks at the form of a template, and not at what it says", async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, "t.json");
  const check = async (text: string) => {
    await writeFile(path, text);
    return runAmibake(["validate", "-syntax-only", path]);
  };
  const right = await check('{ "builders": [{ "type": "amazon-chroot", "no_such_key": 1 }] }');
  assert.deepEqual(right, {
    exitCode: 0,
    signal: null,
    stdout: "Syntax-only check passed. Everything looks okay.\n",
    stderr: "",
  });
  const wrongTexts = [
    ...['{ "builders": [ }', '{ "bilders": [] }', '{ "builders": [{}] }'],
    '{ "builders": [{ "type": "amazon-chroot" }], "provisioners": [{}] }',
    '{ "builders": [{ "type": "amazon-chroot" }], "post-processors": [[{}]] }',
  ];
  for (const wrong of wrongTexts) {
    const { exitCode, stdout, stderr } = await check(wrong);
    assert.deepEqual([exitCode, stdout], [2, ""]);
    assert.match(stderr, /t\.json:1:\d+: /);
  }
});

test("validate of a file that is not there exits 2", async () => {
  const { exitCode, stderr } = await runAmibake(["validate", "/nonexistent/t.json"]);
  assert.equal(exitCode, 2);
  assert.match(stderr, /\/nonexistent\/t\.json/);
});

test("build refuses a selection that leaves nothing", async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, "t.json");
  await writeFile(path, JSON.stringify(TEMPLATE));
  const { exitCode, stderr } = await runAmibake(["build", "-only=nothing", path]);
  assert.equal(exitCode, 2);
  assert.match(stderr, /-only and -except leave no build/);
});

test("validate warns if there is nothing to build, and lists what there is", async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, "t.json");
  await writeFile(path, JSON.stringify(TEMPLATE));
  const selected = await runAmibake(["validate", "-only=nothing", path]);
  assert.deepEqual([selected.exitCode, selected.stdout], [0, "The configuration is valid.\n"]);
  assert.match(selected.stderr, /^Warning: -only and -except leave no build \(The builds are "amazon-chroot"\)$/m);
  const hcl = join(directory.path, "t.pkr.hcl");
  await writeFile(hcl, "");
  const empty = await runAmibake(["validate", hcl]);
  assert.deepEqual([empty.exitCode, empty.stdout], [0, "The configuration is valid.\n"]);
  assert.match(empty.stderr, /^Warning: \/.*\/t\.pkr\.hcl:1:1: The template has no build block \(/);
  assert.equal((await runAmibake(["build", hcl])).exitCode, 2);
});

test("build away from AWS fails with the reason and the way out, and leaves nothing", async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, "t.json");
  await writeFile(path, JSON.stringify(TEMPLATE));
  const env = { AWS_EC2_METADATA_DISABLED: "true", AWS_ACCESS_KEY_ID: "AKIA", AWS_SECRET_ACCESS_KEY: "hunter3" };
  const { exitCode, stdout, stderr } = await runAmibake(["build", path], { env });
  assert.equal(exitCode, 4);
  assert.match(stdout, /^==> amazon-chroot: Connecting to EC2\n {4}amazon-chroot: failed after \d/);
  assert.match(
    stderr,
    /^\nError: Cannot find out which EC2 instance this is: AWS_EC2_METADATA_DISABLED is set to true\n {2}hint: Unset AWS_EC2_METADATA_DISABLED\n$/,
  );
});

test("a reader that goes away ends the command quietly", async () => {
  const [program = "", ...args] = await amibakeCommand();
  const child = spawn(program, [...args, "build", "--help"], { stdio: ["ignore", "pipe", "pipe"] });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  // Closed before the help is written: every write is EPIPE.
  child.stdout.destroy();
  const exitCode = await new Promise((resolve) => child.once("close", resolve));
  assert.equal(stderr, "");
  assert.equal(exitCode, 0);
});

test("doctor tells what is there, why it matters, and where this host can bake", async () => {
  const env = { AWS_EC2_METADATA_DISABLED: "true" };
  const { stdout, stderr } = await runAmibake(["doctor"], { env });
  assert.equal(stderr, "");
  assert.match(stdout, /^amibake v\S+, Node v\S+, \S/);
  assert.match(stdout, /^ {2}ok {7}Linux +chroots, mounts and block devices/m);
  assert.match(
    stdout,
    /^ {2}missing {2}instance metadata .*\n.*AWS_EC2_METADATA_DISABLED is set to true\n {11}hint: Unset/m,
  );
});

test("doctor --json is one object, and exits 4 exactly if the host cannot bake", async () => {
  const env = { AWS_EC2_METADATA_DISABLED: "true" };
  const { exitCode, stdout } = await runAmibake(["doctor", "--json"], { env });
  const report = JSON.parse(stdout) as { canBake: boolean; checks: { name: string; status: string }[] };
  assert.equal(exitCode, report.canBake ? 0 : 4);
  assert.equal(report.checks.find(({ name }) => name === "instance metadata")?.status, "missing");
});

test("in a working directory that was removed, what needs it says so, and the rest works", async () => {
  await using directory = await temporaryDirectory();
  const template = join(directory.path, "ok.json");
  await writeFile(template, JSON.stringify(TEMPLATE));
  const [node = "", entry = ""] = await amibakeCommand();
  const run = async (...args: string[]) => {
    const gone = await mkdtemp(join(directory.path, "gone-"));
    const script = 'rmdir "$PWD" && exec "$@"';
    const child = spawn("sh", ["-c", script, "sh", node, entry, ...args], {
      cwd: gone,
      env: { PATH: process.env["PATH"] ?? "", HOME: directory.path },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      stderr += chunk;
    });
    const exitCode = await new Promise<number | null>((resolve) => child.once("close", resolve));
    return { exitCode, stderr };
  };
  const told =
    "Error: Cannot use the working directory: it has been removed\n  hint: Change to one that exists: cd /\n";
  for (const command of ["validate", "build", "console"]) {
    assert.deepEqual(await run(command, template), { exitCode: 2, stderr: told }, command);
  }
  const rest = [["--help"], ["inspect", template], ["validate", "-syntax-only", template], ["cache", "status"]];
  for (const args of [["version"], ["schema"], ...rest]) {
    assert.deepEqual(await run(...args), { exitCode: 0, stderr: "" }, args.join(" "));
  }
});
