import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { runCommand } from "../../src/linux/run-command.ts";
import { runAmibake } from "../helpers/amibake-cli.ts";
import { tinyBaseImage } from "../helpers/base-image.ts";

/** What each example needs on its command line. An example that is not named here fails. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  "amazon-linux": ["-var-file=examples/amazon-linux/staging.json"],
  "debian-web": [],
  "first-image": ["-var", "source_ami=ami-0123456789abcdef0"],
};

for (const name of await readdir("examples")) {
  test(`amibake validate accepts examples/${name}`, async () => {
    const args = ARGUMENTS[name];
    assert.ok(args !== undefined, `"${name}" is not named in this test`);
    const result = await runAmibake(["validate", ...args, `examples/${name}/template.json`]);
    assert.equal(result.stderr, "");
    assert.equal(result.exitCode, 0);
  });
}

test("examples/first-image bakes what it says", async () => {
  const directory = await mkdtemp(join(tmpdir(), "amibake-example-"));
  const store = ["--store", join(directory, "store")];
  try {
    const disk = await tinyBaseImage({ layout: "gpt" });
    const imported = await ok("local", "import", disk, "--name", "tiny", ...store);
    const [source = ""] = /ami-[0-9a-f]+/.exec(imported) ?? [];
    const built = await ok(
      "build",
      "--local",
      ...store,
      "-var",
      `source_ami=${source}`,
      "examples/first-image/template.json",
    );
    const [image = ""] = /ami-[0-9a-f]+(?= \(snapshot)/.exec(built) ?? [];
    const exported = join(directory, "exported.raw");
    await ok("local", "export", image, exported, ...store);
    const { stdout } = await runCommand(["debugfs", "-R", "cat /etc/motd", `${exported}?offset=${1024 ** 2}`]);
    assert.equal(stdout.toString(), `Baked from ${source}\n`);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

async function ok(...args: readonly string[]): Promise<string> {
  const result = await runAmibake(args);
  assert.equal(result.exitCode, 0, result.stderr);
  return result.stdout;
}
