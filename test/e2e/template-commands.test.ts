// inspect, console and schema, as a person or a script runs them.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { runToExit } from "../../src/linux/run-command.ts";
import { amibakeCommand, runAmibake } from "../helpers/amibake-cli.ts";
import { runPacker, whyNoPacker } from "../helpers/conformance/packer.ts";
import { CTRL_C, runAtTerminal } from "../helpers/terminal.ts";

const JSON_TEMPLATE = {
  description: "Two lines\nof it",
  variables: { region: "us-east-1", password: "hunter2x", image: null, chain: "<{{user `region`}}>" },
  "sensitive-variables": ["password"],
  builders: [
    { type: "null", communicator: "none" },
    { type: "null", name: "second", communicator: "none" },
  ],
  provisioners: [{ type: "shell-local", inline: ["true"] }],
};

const HCL_TEMPLATE = `
variable "region" {
  default = "us-east-1"
}
variable "password" {
  default   = "hunter2x"
  sensitive = true
}
variable "image" {
  type = string
}
locals {
  zones = ["\${var.region}a", 1]
}
source "null" "one" {
  communicator = "none"
}
build {
  name    = "web"
  sources = ["source.null.one"]
  provisioner "shell-local" {
    inline = ["true"]
  }
  post-processors {
    post-processor "manifest" {}
  }
}
build {
  sources = ["null.one"]
}
`;

const noPacker = (await whyNoPacker()) ?? false;
let cwd: string;
before(async () => {
  cwd = await mkdtemp(join(tmpdir(), "amibake-template-commands-"));
  await writeFile(join(cwd, "t.json"), JSON.stringify(JSON_TEMPLATE));
  await writeFile(join(cwd, "t.pkr.hcl"), HCL_TEMPLATE);
});
after(() => rm(cwd, { recursive: true, force: true }));

/** Less the name of the tool and the time; required variables come in any order from Packer. */
const comparable = (text: string): string =>
  text.replace(/(?:Packer|Amibake) Inspect/g, "Inspect").replaceAll(/^\d+,/gm, "TIME,");

for (const args of [["t.json"], ["-machine-readable", "t.json"], ["t.pkr.hcl"], ["-var=image=x", "t.pkr.hcl"]]) {
  test(`inspect ${args.join(" ")} prints what Packer prints`, { skip: noPacker }, async () => {
    const ours = await runAmibake(["inspect", ...args], { cwd });
    const packer = await runPacker(["inspect", ...args], { cwd });
    assert.equal(ours.stderr, "");
    assert.equal(ours.exitCode, 0);
    assert.equal(comparable(ours.stdout), comparable(packer.stdout));
  });
}

test("inspect never shows a sensitive value, and prints Packer's machine-readable types", async () => {
  for (const args of [["t.json"], ["t.pkr.hcl"], ["-machine-readable", "t.json"], ["-machine-readable", "t.pkr.hcl"]]) {
    const { stdout, stderr } = await runAmibake(["inspect", ...args], { cwd });
    assert.ok(!`${stdout}${stderr}`.includes("hunter2x"), args.join(" "));
    assert.ok(stdout.includes("<sensitive>"), args.join(" "));
  }
  const { stdout } = await runAmibake(["-machine-readable", "inspect", "t.json"], { cwd });
  const lines = stdout.split("\n").map((line) => line.replace(/^\d+,,/, ""));
  for (const line of [
    "template-variable,image,,1",
    "template-variable,password,<sensitive>,0",
    "template-builder,second,null",
    "template-provisioner,shell-local",
  ]) {
    assert.ok(lines.includes(line), line);
  }
});

test("console prints the value of the last line of its input", async () => {
  for (const [args, input, expected] of [
    [["t.json"], "{{user `chain` | upper}}\n{{user `region`}} {{1}}\n", "us-east-1 1\n"],
    [["t.json"], "{{user `password`}}", "<sensitive>\n"],
    [["t.json"], "variables\n", "chain: <us-east-1>,\nimage: <unset>,\npassword: <sensitive>,\nregion: us-east-1,\n"],
    [["-var", "image=x", "t.json"], "{{upper `no`}}\nexit\n{{user `image`}}\n", "x\n"],
    [["t.json"], "{{user `region`}}\nexit\n", "\n"],
    [["t.pkr.hcl"], "1\nlocal.zones\n", '[\n  "us-east-1a",\n  1,\n]\n'],
    [["t.pkr.hcl"], "var.password", "<sensitive>\n"],
    [["t.pkr.hcl"], "var.image", "<unknown>\n"],
    [["-config-type=hcl2"], 'upper("a")', "A\n"],
    [[], "{{upper `a`}}", "A\n"],
  ] as const) {
    const { stdout, stderr, exitCode } = await runAmibake(["console", ...args], { cwd, input });
    assert.deepEqual({ stdout, stderr, exitCode }, { stdout: expected, stderr: "", exitCode: 0 });
  }
});

test("console tells nothing of what is in the braces of a sensitive value", async () => {
  const path = join(cwd, "secret.json");
  const variables = { pw: "hunter2{{.Nope9secret}}tail77" };
  await writeFile(path, JSON.stringify({ variables, "sensitive-variables": ["pw"], builders: [] }));
  for (const input of ["{{user `pw`}}\n", "{{user `pw` | upper}}\n", "{{printf `%d` (user `pw` | upper)}}\n"]) {
    const { stdout, stderr } = await runAmibake(["console", path], { input });
    assert.doesNotMatch(stdout + stderr, /hunter2|Nope9secret|tail77/i, input);
  }
});

test("the command hides what functions of HCL2 make of a secret", async () => {
  const path = join(cwd, "secret.pkr.hcl");
  const text = `variable "m" {
  sensitive = true
  default   = "hunter2secret"
}
locals {
  i = parseint(substr(var.m, 0, 6), 10)
  l = file("/nothing/\${upper(var.m)}")
  u = { for part in split("2", var.m) : part => part }.secre
}
`;
  await writeFile(path, text);
  const { stdout, stderr, exitCode } = await runAmibake(["validate", path]);
  assert.equal(exitCode, 2);
  assert.doesNotMatch(stdout + stderr, /hunter"|HUNTER2SECRET|"secret"/);
  assert.match(stderr, /"parseint"/);
});

test("console -machine-readable prints values as lines of Packer's format", async () => {
  const { stdout, exitCode } = await runAmibake(["console", "-machine-readable"], { input: '{{"x,y" | upper}}\n' });
  assert.equal(exitCode, 0);
  assert.match(stdout, /^\d+,,ui,message,X%!\(PACKER_COMMA\)Y\n$/);
});

test("console answers each line of a file, up to exit", async () => {
  const file = join(cwd, "lines.txt");
  await writeFile(file, "1 + 1\n\nvar.regoin\nvar.password\nexit\n3\n");
  const run = 'exec "$@" < "$FILE"';
  const argv = ["sh", "-c", run, "sh", ...(await amibakeCommand()), "console", "t.pkr.hcl"];
  const { stdout, exitCode } = await runToExit(argv, { cwd, env: { PATH: process.env["PATH"] ?? "", FILE: file } });
  assert.deepEqual([stdout.toString(), exitCode], ["2\n\n<sensitive>\n", 2]);
});

test("console tells what is wrong with each line, and ends with 2", async () => {
  const { stdout, stderr, exitCode } = await runAmibake(["console", "t.pkr.hcl"], {
    cwd,
    input: 'var.regoin\n1 +\nupper("a")\n',
  });
  assert.equal(exitCode, 2);
  assert.equal(stdout, "A\n");
  assert.match(
    stderr,
    /<line 1>:1:5: There is no "var\.regoin"\n {4}1 \| var\.regoin\n {6}\| {5}\^+\n {4}hint: Did you mean "var\.region"\?/,
  );
  assert.match(stderr, /<line 2>:1:4: /);
});

test("console at a terminal has a prompt, drops a line at Ctrl-C and ends at Ctrl-C or exit", async () => {
  const argv = [...(await amibakeCommand()), "console", "t.json"];
  for (const end of [CTRL_C, "exit\r", "\x04"]) {
    await using terminal = runAtTerminal(argv, { cwd, env: {} });
    await terminal.waitFor("> ");
    terminal.type("{{upper `prompt`}}\r");
    await terminal.waitFor("PROMPT");
    await terminal.waitFor("> ");
    terminal.type("{{foo}}\r");
    await terminal.waitFor('Unknown template function "foo"');
    await terminal.waitFor("> ");
    terminal.type(`half a line${CTRL_C}`);
    await terminal.waitFor("^C");
    await terminal.waitFor("> ");
    terminal.type(end);
    assert.equal(await terminal.ended, 0);
  }
});

test("schema prints a JSON Schema", async () => {
  const { stdout, exitCode } = await runAmibake(["schema"]);
  assert.equal(exitCode, 0);
  const schema = JSON.parse(stdout) as { $schema: string; required: string[] };
  assert.equal(schema.$schema, "http://json-schema.org/draft-07/schema#");
  assert.deepEqual(schema.required, ["builders"]);
});

test("a problem is shown in its line, where secrets are masked", async () => {
  const template = {
    variables: { password: "hunter2x" },
    "sensitive-variables": ["password"],
    builders: [{ type: "amazon-chroot", ami_nam: "hunter2x", source_ami: "ami-1", ami_name: "image" }],
  };
  const { stderr, exitCode } = await runAmibake(["validate", "-"], { input: JSON.stringify(template) });
  assert.equal(exitCode, 2);
  assert.match(stderr, /\n {4}1 \| .*"ami_nam":"<sensitive>".*\n {6}\| +\^{9}\n/);
  assert.ok(!stderr.includes("hunter2x"), stderr);
});
