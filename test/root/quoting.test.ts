// Every string of a template reaches the image, the host and the cloud as it is written, whatever is in it.
import assert from "node:assert/strict";
import { access, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { DescribeImagesCommand } from "@aws-sdk/client-ec2";
import { seededRandom } from "../../src/base/random.ts";
import { shellQuote } from "../../src/base/shell-quote.ts";
import { withMountedImage } from "../helpers/mounted-image.ts";
import { inTemplate, inVariable, type NastyTextOptions, nastyText } from "../helpers/nasty-text.ts";
import { startTestCloud, type TestCloud } from "../helpers/test-cloud.ts";

const SEED = Number(process.env["AMIBAKE_TEST_SEED"] ?? Date.now() % 1_000_000);
const COUNT = 25;

let cloud: TestCloud;
before(async () => {
  cloud = await startTestCloud();
});
after(() => cloud[Symbol.asyncDispose]());

/** What a template is made of, with what has to come of it. */
interface Sample {
  readonly template: Readonly<Record<string, unknown>>;
  readonly buildName: string;
  readonly flags: readonly string[];
  /** The environment of each script, by the name of the file that it wrote it to. */
  readonly environments: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Files of the image. */
  readonly files: ReadonlyMap<string, string>;
  readonly remoteFolders: readonly string[];
  readonly description: string;
  readonly tags: ReadonlyMap<string, string>;
  readonly canary: string;
}

for (const wrapper of [undefined, "nice -n 1 env AMIBAKE_WRAPPED='$HOME' {{.Command}}"]) {
  const how = wrapper === undefined ? "" : " also through a command_wrapper";
  test(`every string arrives as it is written,${how} in the image and in the cloud`, async (context) => {
    context.diagnostic(`seed ${SEED}`);
    const directory = join(cloud.scratch, wrapper === undefined ? "plain" : "wrapped");
    await mkdir(directory);
    const sample = await makeSample(directory, wrapper);
    const path = join(directory, "template.json");
    await writeFile(path, JSON.stringify(sample.template, null, 2));
    const result = await cloud.amibake(["build", "-color=false", ...sample.flags, path]);
    assert.equal(result.exitCode, 0, `seed ${SEED}: ${result.stdout}${result.stderr}`);

    const { Images = [] } = await cloud.ec2.send(
      new DescribeImagesCommand({ Filters: [{ Name: "description", Values: ["*"] }], Owners: ["self"] }),
    );
    const image = Images.find(({ Name }) => Name === imageName(wrapper));
    assert.equal(image?.Description ?? "", asSdkReads(sample.description), `seed ${SEED}`);
    const tags = new Map((image?.Tags ?? []).map(({ Key = "", Value = "" }) => [Key, Value]));
    for (const [key, value] of sample.tags) assert.equal(tags.get(key), asSdkReads(value), `seed ${SEED}: tag ${key}`);

    const mounted = { imageId: image?.ImageId ?? "", path: join(directory, "image") };
    await withMountedImage(cloud, mounted, (root) => compare(root, sample));
    await assert.rejects(access(sample.canary), `seed ${SEED}: a text was run as a command on the host`);
  });
}

/** The SDK takes a text of white space with a line end in it for the layout of the XML, and drops it. */
function asSdkReads(text: string): string {
  return text.trim() === "" && text.includes("\n") ? "" : text;
}

const imageName = (wrapper: string | undefined) => `it's (an) [image] ./-@_${wrapper === undefined ? 1 : 2}`;

async function compare(root: string, sample: Sample): Promise<void> {
  await assert.rejects(access(root + sample.canary), `seed ${SEED}: a text was run as a command in the image`);
  for (const [path, expected] of sample.files) {
    assert.equal(await readFile(root + path, "utf8"), expected, `seed ${SEED}: ${JSON.stringify(path)}`);
  }
  for (const [name, expected] of sample.environments) {
    const text = await readFile(`${root}/out/${name}`, "utf8");
    const found = new Map(text.split("\0").map((line) => [line.split("=", 1)[0], line.slice(line.indexOf("=") + 1)]));
    for (const [key, value] of expected) assert.equal(found.get(key), value, `seed ${SEED}: ${key} in ${name}`);
    assert.equal(found.get("PACKER_BUILD_NAME"), sample.buildName, `seed ${SEED}`);
  }
  const left = await Promise.all(["/tmp", ...sample.remoteFolders].map((folder) => readdir(root + folder)));
  assert.deepEqual(left.flat(), [], `seed ${SEED}: a script, its environment or a lent file is left`);
}

async function makeSample(directory: string, wrapper: string | undefined): Promise<Sample> {
  const random = seededRandom(SEED + (wrapper === undefined ? 0 : 1));
  const canary = join(directory, "canary");
  const text = (options: NastyTextOptions = {}) => nastyText(random, canary, options);
  let number = 0;
  // A name of its own each: two equal ones would be one file.
  const fileName = () => `${text({ isFileName: true })}${++number}`;
  const many = <T>(make: (index: number) => T): T[] => Array.from({ length: COUNT }, (_, index) => make(index));
  const files = new Map<string, string>();

  const inline = many((index) => {
    const content = text();
    files.set(`/out/inline-${index}`, content);
    return `printf %s ${shellQuote(content)} > /out/inline-${index}`;
  });
  const script = ["mkdir -p /out /copied /bound", 'cat "$0" > /out/script', ...inline];
  files.set("/out/script", `#!/bin/sh -e\n${script.map((line) => `${line}\n`).join("")}`);

  const variables = many((index) => ({ name: `V${index}`, value: text() }));
  const users = many((index) => ({ name: index === 0 ? text() || "empty" : `user ${index}`, value: text() }));
  const [fromTemplate, fromFlag, fromFile] = [0, 1, 2].map((kind) => users.filter((_, index) => index % 3 === kind));
  const varFile = join(directory, "variables.json");
  await writeFile(varFile, variablesOf(fromFile ?? []));
  const mountParent = `${directory}/${fileName()}`;
  const environment = new Map([
    ...variables.map(({ name, value }) => [name, value] as const),
    ...users.map(({ value }, index) => [`U${index}`, value] as const),
    ["MOUNT_PATH", `${mountParent}/root`] as const,
  ]);
  const environmentKeys = {
    environment_vars: [
      ...variables.slice(0, COUNT / 2).map(({ name, value }) => `${name}=${inTemplate(value)}`),
      "MOUNT_PATH={{.MountPath}}",
    ],
    env: {
      ...Object.fromEntries(variables.slice(COUNT / 2).map(({ name, value }) => [name, inTemplate(value)])),
      ...Object.fromEntries(users.map(({ name }, index) => [`U${index}`, `{{user ${JSON.stringify(name)}}}`])),
    },
  };
  const environments = new Map(["words", "file"].map((name) => [name, environment]));
  const writes = (name: string) => ({ inline: [`cat /proc/self/environ > /out/${name}`] });

  const executed = many((index) => ({ path: `/out/executed-${index}`, content: text() })).slice(0, 4);
  for (const { path, content } of executed) files.set(path, content);
  const remotes = many(() => ({ folder: `/srv/${fileName()}`, file: fileName() })).slice(0, 4);
  for (const [index, { folder, file }] of remotes.entries()) files.set(`/out/remote-${index}`, `${folder}/${file}`);

  const uploads = await Promise.all(
    many(async () => {
      const upload = { source: `${directory}/${fileName()}`, destination: `/files/${fileName()}`, content: text() };
      await writeFile(upload.source, upload.content);
      files.set(upload.destination, upload.content);
      return upload;
    }),
  );
  const contents = many(() => ({ destination: `/files/${fileName()}`, content: text() }));
  for (const { destination, content } of contents) files.set(destination, content);

  const copied = uploads.slice(0, 8).map(({ source, content }) => ({ source, content }));
  for (const [index, { content }] of copied.entries()) files.set(`/copied/${index}`, content);
  const bound = await Promise.all(
    many(async () => {
      const source = `${directory}/${fileName()}`;
      await mkdir(source);
      await writeFile(`${source}/file`, source);
      return { source, target: `/mnt/${fileName()}` };
    }),
  );
  for (const [index, { source }] of bound.slice(0, 8).entries()) files.set(`/bound/${index}`, source);

  const tags = new Map(many((index) => [`${text({ lengthMax: 60 })} ${index}`, text()] as const).slice(0, 20));
  const description = `from ${text({ lengthMax: 60 }).replaceAll(/[^\x20-\x7e]/g, "?")}`;
  const buildName = text({ lengthMax: 60 });
  return {
    ...{
      buildName: buildName || "amazon-chroot",
      environments,
      files,
      description,
      remoteFolders: remotes.map(({ folder }) => folder),
      tags,
      canary,
    },
    flags: [
      ...(fromFlag ?? []).flatMap(({ name, value }) => ["-var", `${name}=${inVariable(value)}`]).filter((flag) => flag),
      `-var-file=${varFile}`,
    ],
    template: {
      variables: JSON.parse(
        variablesOf([
          ...(fromTemplate ?? []),
          ...[...(fromFlag ?? []), ...(fromFile ?? [])].map(({ name }) => ({ name, value: "" })),
        ]),
      ),
      builders: [
        {
          type: "amazon-chroot",
          name: inTemplate(buildName),
          source_ami: cloud.baseImageId,
          ami_name: imageName(wrapper),
          ami_description: inTemplate(description),
          tags: Object.fromEntries([...tags].map(([key, value]) => [inTemplate(key), inTemplate(value)])),
          mount_path: inTemplate(`${mountParent}/root`),
          copy_files: copied.map(({ source }) => inTemplate(source)),
          chroot_mounts: [
            ["proc", "proc", "/proc"],
            ...bound.slice(0, 8).map(({ source, target }) => ["bind", inTemplate(source), inTemplate(target)]),
          ],
          ...(wrapper === undefined ? {} : { command_wrapper: wrapper }),
        },
      ],
      provisioners: [
        { type: "shell", binary: true, inline: script.map(inTemplate) },
        { type: "shell", ...environmentKeys, ...writes("words") },
        { type: "shell", ...environmentKeys, ...writes("file"), use_env_var_file: true },
        ...executed.map(({ path, content }) => ({
          type: "shell",
          inline: ["true"],
          execute_command: `printf %s ${inTemplate(shellQuote(content))} > ${path}; {{.Vars}} sh {{.Path}}`,
        })),
        ...remotes.map(({ folder, file }, index) => ({
          type: "shell",
          ...(index % 2 === 0
            ? { remote_path: inTemplate(`${folder}/${file}`) }
            : { remote_folder: inTemplate(folder), remote_file: inTemplate(file) }),
          inline: [`printf %s "$0" > /out/remote-${index}`],
        })),
        ...uploads.map(({ source, destination }) => ({
          type: "file",
          source: inTemplate(source),
          destination: inTemplate(destination),
        })),
        ...contents.map(({ destination, content }) => ({
          type: "file",
          content: inTemplate(content || " "),
          destination: inTemplate(destination),
        })),
        {
          type: "shell",
          inline: [
            ...copied.map(({ source }, index) => `cat ${inTemplate(shellQuote(source))} > /copied/${index}`),
            ...bound
              .slice(0, 8)
              .map(({ target }, index) => `cat ${inTemplate(shellQuote(target))}/file > /bound/${index}`),
          ],
          binary: true,
        },
      ],
    },
  };
}

function variablesOf(variables: readonly { name: string; value: string }[]): string {
  return JSON.stringify(Object.fromEntries(variables.map(({ name, value }) => [name, inVariable(value)])));
}
