import assert from "node:assert/strict";
import { test } from "node:test";
import { problemLine, problemsOf, readTemplateText, templateText } from "../../../test/helpers/template-text.ts";
import type { ReadTemplateOptions } from "../read-template.ts";

const BUILDER = { type: "amazon-chroot", ami_name: "web", source_ami: "ami-1" };

/** A template with two builds, "one" and "two". */
function twoBuilds(postProcessors: unknown): string {
  const builders = ["one", "two"].map((name) => ({ ...BUILDER, name }));
  return JSON.stringify({ builders, "post-processors": postProcessors });
}

/** The outputs of each build's sequences. */
async function outputsOf(text: string, options: Partial<ReadTemplateOptions> = {}): Promise<Record<string, string[]>> {
  const { builds } = await readTemplateText(text, options);
  return Object.fromEntries(
    builds.map(({ name, postProcessors }) => [
      name,
      postProcessors.map((sequence) => sequence.map(({ config }) => config.output).join(" then ")),
    ]),
  );
}

const manifest = (output: string, rest: object = {}) => ({ type: "manifest", output, ...rest });

test("a post-processor is a text, an object, or one of a list, which is a sequence", async () => {
  const text = twoBuilds(["manifest", manifest("a"), ["manifest", manifest("b")], []]);
  const outputs = ["packer-manifest.json", "a", "packer-manifest.json then b"];
  assert.deepEqual(await outputsOf(text), { one: outputs, two: outputs });
});

test("a manifest has Packer's defaults, and a custom_data that may use build variables", async () => {
  const custom_data = { source: "{{build `SourceAMI`}} of {{.BuildRegion}}", name: "{{build_name}}", number: 5 };
  const text = templateText({}, { "post-processors": ["manifest", { type: "manifest", name: "mine", custom_data }] });
  const { builds } = await readTemplateText(text);
  const [plain, mine] = builds.flatMap(({ postProcessors }) => postProcessors.flat());
  const location = { file: "<stdin>", line: 1 };
  assert.deepEqual(plain, {
    type: "manifest",
    name: "manifest",
    config: { output: "packer-manifest.json", strip_path: false, strip_time: false, custom_data: {} },
    location: { ...location, column: text.indexOf('"manifest"') + 1 },
  });
  const variables = { SourceAMI: "ami-1", BuildRegion: "eu-west-1" };
  const rendered = Object.entries(mine?.config.custom_data ?? {}).map(([key, value]) => [key, value.render(variables)]);
  assert.deepEqual(rendered, [
    ["source", "ami-1 of eu-west-1"],
    ["name", "amazon-chroot"],
    ["number", "5"],
  ]);
});

test("a post-processor is for the builds that want it", async () => {
  const text = twoBuilds([
    manifest("a", { only: ["one"] }),
    [manifest("b", { except: "one" }), manifest("c-{{build_name}}")],
  ]);
  assert.deepEqual(await outputsOf(text), { one: ["a", "c-one"], two: ["b then c-two"] });
});

test("-except leaves out a post-processor and what comes after it in its sequence, and is not warned of", async () => {
  const text = twoBuilds([[manifest("a"), manifest("b", { name: "b" }), manifest("c")], manifest("d")]);
  const { warnings } = await readTemplateText(text, { except: ["b", "two"] });
  assert.deepEqual(warnings, []);
  assert.deepEqual(await outputsOf(text, { except: ["b", "two"] }), { one: ["a", "d"] });
  assert.deepEqual(await outputsOf(text, { except: ["manifest"] }), { one: [], two: [] });
  const unknown = await readTemplateText(text, { except: ["c"] });
  assert.match(unknown.warnings.map(problemLine).join(), /^No build has the name "c" of -except/);
});

test("keep_input_artifact cannot remove an image, and says so once for all builds", async () => {
  const { warnings } = await readTemplateText(twoBuilds([manifest("a", { keep_input_artifact: false })]));
  const [warning, ...others] = warnings.map(problemLine);
  assert.match(
    warning ?? "",
    /"keep_input_artifact" of the post-processor "manifest" has no effect: it keeps the image, as in Packer/,
  );
  assert.deepEqual(others, []);
  const { warnings: none } = await readTemplateText(twoBuilds([manifest("a", { keep_input_artifact: true })]));
  assert.deepEqual(none, []);
});

const WRONG: readonly (readonly [postProcessors: unknown, message: string])[] = [
  [5, '"post-processors" must be a list, not 5'],
  [[5], "A post-processor must be an object, a string or a list, not 5"],
  [[[["manifest"]]], "A list of post-processors cannot hold another list"],
  [[{ output: "x" }], 'The key "type" of a post-processor is missing'],
  [["manifst"], 'Unknown post-processor "manifst" | Did you mean "manifest"?'],
  [["zzzzzzzz"], 'Unknown post-processor "zzzzzzzz" | There are manifest'],
  [["compress"], 'The post-processor "compress" is not supported yet'],
  [["vagrant"], 'The post-processor "vagrant" is one of Packer\'s that amibake does not have | There are manifest'],
  [
    [{ type: "manifest", outptu: "x" }],
    'Unknown key "outptu" of the post-processor "manifest" | Did you mean "output"?',
  ],
  [[manifest("out/")], '"output" must name a file, not a directory, not "out/"'],
  [[manifest("a", { custom_data: [] })], '"custom_data" must be an object, not a list'],
  [[manifest("a", { only: ["tow"] })], '"only" names the build "tow", which does not exist | Did you mean "two"?'],
  [[manifest("a", { only: ["one"], except: ["two"] })], '"except" cannot stand beside "only"'],
  [[manifest("a", { keep_input_artifact: "perhaps" })], '"keep_input_artifact" must be true or false, not "perhaps"'],
];

for (const [postProcessors, message] of WRONG) {
  test(`post-processors ${JSON.stringify(postProcessors)} are explained, once for all builds`, async () => {
    const problems = await problemsOf(twoBuilds(postProcessors));
    assert.deepEqual(
      problems.map((problem) => problem.replace(/^\d+:\d+ /, "")),
      [message],
    );
  });
}

test("too many post-processors for too many builds are refused", async () => {
  const builders = Array.from({ length: 1000 }, (_, index) => ({ ...BUILDER, name: `b${index}` }));
  const text = JSON.stringify({ builders, "post-processors": Array(51).fill("manifest") });
  const [problem] = await problemsOf(text);
  assert.match(problem ?? "", /1000 builders with 51 post-processors each are more than can be read/);
});
