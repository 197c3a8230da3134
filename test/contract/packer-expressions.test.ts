// Packer itself is the judge of what template expressions mean.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { runToExit } from "../../src/linux/run-command.ts";
import { compileTemplate } from "../../src/template/go-template/compile.ts";
import { ABSENT_FUNCTIONS, createFunctions } from "../../src/template/go-template/functions.ts";

// Not here: braces as text, since Packer's console evaluates its own result once more.
const EXPRESSIONS = [
  "{{timestamp}}",
  "{{isotime}}",
  '{{isotime "Mon Jan _2 15:04:05 2006 January Monday 02-01-06 1/2 3:4:5 03 PM pm MST -0700 -07:00 Z07:00 Z0700 -07 002"}}',
  '{{isotime "20060102150405 _2006 Janus Month v1.x 2"}}',
  '{{strftime "%Y-%m-%d %H:%M:%S %a %A %b %B %y %I %p %z %Z %%"}}',
  '{{strftime "%c %C %E %g %G %h %i %J %k %K %l %n %N %o %O %P %q %Q %r %t %U %v %V %W %x %X %% %"}}',
  "{{user `a` | upper}}{{user `b`}}",
  '{{upper "é"}} {{lower "ÀB"}}',
  '{{split "a-b-c" "-" 1}} {{replace "a" "b" 1 "aaa"}} {{replace_all "a" "b" "aaa"}} {{replace "" "-" -1 "ab"}}',
  '{{"aaa" | replace "a" "b" 2}} {{(upper "x") | lower}} {{ 1 }} {{-1}} {{0x10}} {{017}} {{true}}',
  "{{'a'}} {{\"\\u00e9\\x41\\\\\\t\"}}",
  "a {{/* c */}} b {{- /* d */ -}} c {{- `x` -}} d",
  "{{pwd}} {{template_dir}}",
];

test("template expressions mean what they mean to Packer", async (context) => {
  const directory = await mkdtemp(join(tmpdir(), "amibake-packer-"));
  context.after(() => rm(directory, { recursive: true, force: true }));
  const template = {
    variables: { a: "x", b: "{{user `a`}}-y" },
    builders: [{ type: "null", communicator: "none" }],
  };
  await writeFile(join(directory, "template.json"), JSON.stringify(template));
  const source = EXPRESSIONS.join(" | ");
  let packer: string;
  try {
    const { stdout } = await runToExit(["packer", "console", "template.json"], {
      cwd: directory,
      input: `${source}\n`,
      env: { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: directory, CHECKPOINT_DISABLE: "1" },
    });
    packer = stdout.toString().trim();
  } catch {
    context.skip("packer is not installed: apt-get install packer");
    return;
  }
  const timestamp = Number(packer.split(" ", 1)[0]);
  const compiled = compileTemplate(source, {
    functions: createFunctions({
      startTime: new Date(timestamp * 1000),
      workingDirectory: directory,
      templateDirectory: directory,
      toolVersion: "",
      userVariable: (name) => (name === "a" ? "x" : "x-y"),
    }),
    absentFunctions: ABSENT_FUNCTIONS,
    fields: new Set(),
    hasBuildFunction: false,
    known: {},
  });
  assert.ok("text" in compiled);
  assert.deepEqual(compiled.text.render({}).split(" | "), packer.split(" | "));
});
