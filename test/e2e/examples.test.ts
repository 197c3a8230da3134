import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { runCommand } from "../../src/linux/run-command.ts";
import { readTemplate, TemplateError } from "../../src/template/read-template.ts";
import { runAmibake } from "../helpers/amibake-cli.ts";
import { tinyBaseImage } from "../helpers/base-image.ts";
import { EXAMPLES, type Example } from "../helpers/example-templates.ts";

test("every template of examples/ is in the table of this test", async () => {
  const files = (await readdir("examples", { recursive: true })).filter((path) =>
    /(?:^|\/)template\.json$|\.pkr\.(?:hcl|json)$/.test(path),
  );
  const known = Object.keys(EXAMPLES);
  const isKnown = (file: string) => known.some((template) => file === template || file.startsWith(`${template}/`));
  assert.deepEqual(
    files.filter((file) => !isKnown(file)),
    [],
  );
});

for (const [template, example] of Object.entries(EXAMPLES)) {
  const { notYet } = example;
  const verdict = notYet === undefined ? "good" : `refused for what there is not yet: ${notYet.join(", ")}`;
  test(`examples/${template} is ${verdict}`, async () => {
    assert.deepEqual(await refusals(template, example), [...(notYet ?? [])].sort());
  });
}

test("of a template with builders of other tools, -only builds ours", async () => {
  const example = { why: "", only: ["chroot"] };
  assert.deepEqual(await refusals("several-builders/template.json", example), []);
});

/** What keeps a template from being used: keys, and types of components, by their names; a sentence of another sort whole. */
async function refusals(
  template: string,
  { variables = {}, varFiles = [], only = [], asksForData = false }: Example,
): Promise<string[]> {
  try {
    const { builds, warnings } = await readTemplate(join("examples", template), {
      variables: Object.entries(variables).map(([name, value]) => ({ name, value })),
      varFiles: varFiles.map((file) => join("examples", file)),
      only,
      except: [],
      environment: { HOME: "/root", AWS_REGION: "eu-west-1", AWS_ACCESS_KEY_ID: "AKIA", AWS_SECRET_ACCESS_KEY: "s" },
      startTime: new Date(0),
    });
    assert.equal(builds.length === 0, asksForData, "whether there are no builds yet");
    return warnings.map(({ message }) => message);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return [...new Set(error.problems.map(({ message }) => refusedName(message) ?? message))].sort();
  }
}

function refusedName(message: string): string | undefined {
  const key = /^"(.+?)" of the .+ is not supported yet$/.exec(message);
  const component =
    /^The (builder|provisioner|post-processor) "(.+?)" (?:is not supported yet|is one of Packer's)/.exec(message);
  return key?.[1] ?? (component === null ? undefined : `${component[1]} ${component[2]}`);
}

test("examples that need no network bake what they say", async () => {
  const directory = await mkdtemp(join(tmpdir(), "amibake-example-"));
  const store = ["--store", join(directory, "store")];
  const build = async (template: string, ...variables: string[]): Promise<string> => {
    const set = variables.flatMap((variable) => ["-var", variable]);
    const built = await ok("build", "--local", ...store, ...set, join(process.cwd(), "examples", template));
    return /ami-[0-9a-f]+(?= \(snapshot)/.exec(built)?.[0] ?? "no image";
  };
  async function ok(...args: readonly string[]): Promise<string> {
    // What a template writes beside itself belongs to the test.
    const result = await runAmibake(args, { cwd: directory });
    assert.equal(result.exitCode, 0, result.stderr + result.stdout);
    return result.stdout;
  }
  const readFiles = async (image: string, ...files: string[]): Promise<string> => {
    const exported = join(directory, `${image}.raw`);
    await ok("local", "export", image, exported, ...store);
    const texts: string[] = [];
    for (const file of files) {
      const { stdout } = await runCommand(["debugfs", "-R", `cat ${file}`, `${exported}?offset=${1024 ** 2}`]);
      texts.push(stdout.toString());
    }
    return texts.join("");
  };
  try {
    const disk = await tinyBaseImage({ layout: "gpt" });
    const imported = await ok("local", "import", disk, "--name", "tiny", ...store);
    const [source = ""] = /ami-[0-9a-f]+/.exec(imported) ?? [];
    const tiny = ["source_name=tiny", "source_owner=self"];

    const first = await build("first-image/template.json", `source_ami=${source}`);
    assert.equal(await readFiles(first, "/etc/motd"), `Baked from ${source}\n`);

    await build("golden-image/base.pkr.hcl", ...tiny, "generation=7");
    const app = await build("golden-image/app.pkr.hcl", "application=shop");
    assert.equal(await readFiles(app, "/etc/golden", "/srv/shop/origin"), "generation 7\nshop on golden-base-007\n");

    const ci = await build("ci-directory", ...tiny, "commit=0123456789abcdef");
    assert.equal(
      await readFiles(ci, "/etc/service/production.conf", "/etc/service/staging.conf", "/etc/service/commit"),
      "level=warn replicas=3\nlevel=debug replicas=1\n0123456789abcdef\n",
    );
    assert.ok((await readdir(directory)).includes("image.json"));

    const proxy = await build("rendered-config/rendered.pkr.hcl", ...tiny);
    assert.equal(
      await readFiles(proxy, "/etc/motd", "/etc/proxy.conf", "/etc/sites.json", "/srv/blog/port"),
      PROXY_FILES,
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

const PROXY_FILES = `This machine serves 2 sites:
- blog   blog.example.com
- shop   shop.example.com www.shop.example.com (TLS)
# Made by amibake; ask ops@example.com.
server blog {
  listen 80;
  host blog.example.com;
  upstream 127.0.0.1:8081;
}
server shop {
  listen 443;
  host shop.example.com;
  host www.shop.example.com;
  upstream 127.0.0.1:8080;
}
{"shop":{"hosts":["shop.example.com","www.shop.example.com"],"port":8080,"tls":true}}8081
`;

test("examples/team-images finds its source image by a data source and bakes an image for each team", async () => {
  const directory = await mkdtemp(join(tmpdir(), "amibake-example-"));
  const store = ["--store", join(directory, "store")];
  const manifest = join(directory, "manifest.json");
  try {
    const disk = await tinyBaseImage({ layout: "gpt" });
    const imported = await ok("local", "import", disk, "--name", "debian-12-tiny", ...store);
    const [source = ""] = /ami-[0-9a-f]+/.exec(imported) ?? [];
    const built = await ok("build", "--local", ...store, "-var", `manifest=${manifest}`, "examples/team-images");
    const images = [...built.matchAll(/nightly\.amazon-direct\.(\w+): \1-[\d-]+\n +us-east-1: (ami-[0-9a-f]+)/g)];
    assert.deepEqual(images.map(([, name]) => name).sort(), ["web", "worker"]);
    for (const [, name = "", image = ""] of images) {
      const exported = join(directory, `${name}.raw`);
      await ok("local", "export", image, exported, ...store);
      const file = async (path: string) => {
        const { stdout } = await runCommand(["debugfs", "-R", `cat ${path}`, `${exported}?offset=${1024 ** 2}`]);
        return stdout.toString();
      };
      assert.equal(await file("/etc/motd"), `Baked from debian-12-tiny for ${name}\n`);
      assert.equal(await file("/etc/image-role"), "baked\nbase\ncostcenter\nsource\nteam\n");
    }
    const { builds } = JSON.parse(await readFile(manifest, "utf8")) as {
      builds: { name: string; custom_data: object }[];
    };
    assert.deepEqual(
      builds.map(({ name, custom_data }) => [name, custom_data]).sort(),
      ["web", "worker"].map((role) => [role, { base: source, role }]),
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

async function ok(...args: readonly string[]): Promise<string> {
  const result = await runAmibake(args);
  assert.equal(result.exitCode, 0, result.stderr);
  return result.stdout;
}
