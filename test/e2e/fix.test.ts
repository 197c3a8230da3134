import assert from "node:assert/strict";
import { test } from "node:test";
import { runAmibake } from "../helpers/amibake-cli.ts";

const OLD = '{\n  "builders": [ { "type": "amazon-chroot", "ami_name": "web {{.CreateTime}}" } ]\n}';
const NEW = OLD.replace("{{.CreateTime}}", "{{timestamp}}");

test("amibake fix prints the template as it should be, and tells on standard error what it changed", async () => {
  const { stdout, stderr, exitCode } = await runAmibake(["fix", "-"], { input: OLD });
  assert.equal(stdout, `${NEW}\n`);
  assert.equal(stderr, 'builders[0].ami_name is now "web {{timestamp}}" (createtime)\n1 change\n');
  assert.equal(exitCode, 0);
  const again = await runAmibake(["fix", "-"], { input: stdout });
  assert.deepEqual([again.stdout, again.stderr], [stdout, "Nothing is old\n"]);
});

test("amibake fix -machine-readable prints the template as one line of Packer's format", async () => {
  const { stdout, stderr, exitCode } = await runAmibake(["fix", "-machine-readable", "-"], { input: OLD });
  assert.deepEqual([exitCode, stderr], [0, ""]);
  assert.match(stdout, /^\d+,,ui,say,\{\\n .*\}\n(?:\d+,,ui,error,.*\n)+$/);
});

test("amibake fix checks its result unless it is told not to", async () => {
  const input = OLD.replace('"builders"', '"bilders"');
  const checked = await runAmibake(["fix", "-"], { input });
  assert.equal(checked.exitCode, 2);
  assert.equal(checked.stdout, `${input}\n`);
  assert.match(checked.stderr, /<stdin> as fixed:2:3: Unknown key "bilders" of the template/);
  for (const flag of ["-validate=false", "--no-validate"]) {
    assert.equal((await runAmibake(["fix", flag, "-"], { input })).exitCode, 0, flag);
  }
  assert.equal((await runAmibake(["fix", "-validate=true", "-"], { input })).exitCode, 2);
});

test("amibake fix refuses what has no older form, or is no template", async () => {
  const hcl = await runAmibake(["fix", "web.pkr.hcl"]);
  assert.deepEqual([hcl.exitCode, hcl.stdout], [2, ""]);
  assert.match(hcl.stderr, /Cannot fix "web\.pkr\.hcl": only JSON templates have an older form/);
  const broken = await runAmibake(["fix", "-"], { input: "{" });
  assert.deepEqual([broken.exitCode, broken.stdout], [2, ""]);
  assert.match(broken.stderr, /The file ends too early/);
});
