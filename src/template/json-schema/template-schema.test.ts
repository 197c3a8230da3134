import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Ajv } from "ajv";
import { EXAMPLES } from "../../../test/helpers/example-templates.ts";
import { mutateTemplate } from "../../../test/helpers/fuzz/mutate-template.ts";
import { ROOT } from "../../../test/helpers/source-files.ts";
import { seededRandom } from "../../base/random.ts";
import { readTemplate, TemplateError } from "../read-template.ts";
import { BUILDERS, POST_PROCESSORS, PROVISIONERS } from "../schema/components.ts";
import { ROOT_KEYS } from "./root-keys.ts";
import { templateSchema } from "./template-schema.ts";

const schema = templateSchema();
// Strict: a word that means nothing in a schema is a mistake of ours.
const judge = new Ajv({
  strict: true,
  strictTypes: false,
  strictRequired: false,
  // 1e999 is a number to the reader too.
  strictNumbers: false,
  allErrors: false,
  keywords: ["markdownDescription"],
});
const validate = judge.compile(schema);

function complaint(template: unknown): string | undefined {
  return validate(template) ? undefined : judge.errorsText(validate.errors);
}

async function templates(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const folder of ["examples", "test/fixtures"]) {
    for (const path of await readdir(join(ROOT, folder), { recursive: true })) {
      if (!path.endsWith(".json") || path.endsWith(".pkr.json")) continue;
      const text = await readFile(join(ROOT, folder, path), "utf8");
      const json: unknown = JSON.parse(text);
      if (typeof json === "object" && json !== null && "builders" in json) found.set(join(folder, path), text);
    }
  }
  return found;
}

/** Whether `validate` refuses an example for a key or a component that amibake does not have. */
function isRefused(path: string): boolean {
  const { notYet = [] } = EXAMPLES[path.replace(/^examples\//, "")] ?? {};
  return notYet.some((what) => !what.startsWith("builder "));
}

test("every template of the examples and of the tests that validate accepts fits the schema", async () => {
  const all = [...(await templates())].filter(([path]) => !isRefused(path));
  assert.ok(all.length >= 5, `only ${all.length} templates were found`);
  for (const [path, text] of all) assert.equal(complaint(JSON.parse(text)), undefined, path);
});

const BUILDER = { type: "amazon-chroot", ami_name: "web", source_ami: "ami-1" };
const SHELL = { type: "shell", inline: ["true"] };

const RIGHT: readonly [what: string, template: unknown][] = [
  [
    "weak types",
    {
      builders: [
        { ...BUILDER, root_volume_size: "8", suppress_sync: "true", region: 5, ami_users: "123456789012,123456789012" },
      ],
    },
  ],
  [
    "booleans and numbers as texts",
    {
      builders: [{ ...BUILDER, ami_description: true, tags: { a: false, b: 1.5 }, root_volume_size: "0x10" }],
      provisioners: [{ type: "shell", inline: true, env: { A: true }, environment_vars: "A=1,B=2" }],
    },
  ],
  [
    "expressions anywhere",
    {
      builders: [
        { ...BUILDER, source_ami: "{{user `a`}}", root_volume_size: "{{user `b`}}", allow_services: "{{user `c`}}" },
      ],
    },
  ],
  [
    "no value is no key",
    { builders: [{ ...BUILDER, root_volume_size: 0, mount_partition: "", device_path: null, aws_polling: null }] },
  ],
  ["comments and a null section", { _: [1], _note: "x", provisioners: null, builders: [BUILDER] }],
  [
    "one command as a text",
    { builders: [BUILDER], provisioners: [{ type: "shell", inline: "true", timeout: "1h5m", pause_before: 0 }] },
  ],
  [
    "what is required, in an override",
    {
      builders: [BUILDER],
      provisioners: [{ type: "file", source: "a", override: { "amazon-chroot": { destination: "/b" } } }],
    },
  ],
  [
    "post-processors in every form",
    {
      builders: [BUILDER],
      "post-processors": ["manifest", [{ type: "manifest", output: "x.json" }], { type: "manifest" }],
    },
  ],
  ["another tool's builder beside ours", { builders: [BUILDER, { type: "amazon-ebs", whatever: 1 }] }],
  ["what Packer adds", { builders: [{ ...BUILDER, packer_debug: true }] }],
];

for (const [what, template] of RIGHT) test(`fits: ${what}`, () => assert.equal(complaint(template), undefined));

const WRONG: readonly [what: string, template: unknown][] = [
  ["no builders", { provisioners: [] }],
  ["builders that are none", { builders: {} }],
  ["an unknown key of the template", { builders: [BUILDER], builder: [] }],
  ["an unknown key of a builder", { builders: [{ ...BUILDER, ami_nam: "x" }] }],
  ["a key of the other builder", { builders: [{ ...BUILDER, type: "amazon-direct", device_path: "/dev/sdf" }] }],
  ["a key that is not supported yet", { builders: [{ ...BUILDER, from_scratch: true, kms_key_id: "x" }] }],
  ["no name", { builders: [{ type: "amazon-chroot", source_ami: "ami-1" }] }],
  ["no type", { builders: [{ ami_name: "x" }] }],
  ["an unknown type", { builders: [{ type: "amazon-chrot" }] }],
  ["a text that does not fit its pattern", { builders: [{ ...BUILDER, source_ami: "amy-1" }] }],
  ["a number that is too large", { builders: [{ ...BUILDER, root_volume_size: 65_537 }] }],
  ["a number with a fraction", { builders: [{ ...BUILDER, root_volume_size: 1.5 }] }],
  ["a text for true or false", { builders: [{ ...BUILDER, allow_services: "yes" }] }],
  ["true for a number", { builders: [{ ...BUILDER, root_volume_size: true }] }],
  ["true for a text of another form", { builders: [{ ...BUILDER, source_ami: true }] }],
  ["null in an object of texts", { builders: [{ ...BUILDER, tags: { a: null } }] }],
  ["an object for a text", { builders: [{ ...BUILDER, region: {} }] }],
  ["a mount of two parts", { builders: [{ ...BUILDER, chroot_mounts: [["proc", "proc"]] }] }],
  ["an unknown key deeper", { builders: [{ ...BUILDER, aws_polling: { delay: 1 } }] }],
  ["an unknown provisioner", { builders: [BUILDER], provisioners: [{ type: "shel" }] }],
  ["an unknown key of a provisioner", { builders: [BUILDER], provisioners: [{ ...SHELL, inlin: [] }] }],
  ["a length of time without a unit", { builders: [BUILDER], provisioners: [{ ...SHELL, timeout: "5" }] }],
  ["a number for a length of time", { builders: [BUILDER], provisioners: [{ ...SHELL, timeout: 5 }] }],
  [
    "a choice that does not exist",
    { builders: [BUILDER], provisioners: [{ type: "file", source: "a", destination: "b", direction: "up" }] },
  ],
  ["no destination", { builders: [BUILDER], provisioners: [{ type: "file", source: "a" }] }],
  [
    "an unknown key of an override",
    { builders: [BUILDER], provisioners: [{ ...SHELL, override: { x: { inlin: [] } } }] },
  ],
  ["an unknown post-processor", { builders: [BUILDER], "post-processors": ["manifst"] }],
  ["a sequence in a sequence", { builders: [BUILDER], "post-processors": [[["manifest"]]] }],
  ["a variable that is a list", { variables: { a: [] }, builders: [BUILDER] }],
  ["a wrong minimum version", { min_packer_version: "new", builders: [BUILDER] }],
];

for (const [what, template] of WRONG) {
  test(`does not fit: ${what}`, () => assert.notEqual(complaint(template), undefined));
}

// Damaged templates: whatever the reader accepts, an editor must not mark.
test("the schema refuses nothing that the reader accepts", async (context) => {
  const seed = Date.now() % 1_000_000;
  context.diagnostic(`seed ${seed}`);
  const seeds = { json: [...(await templates()).values()], hcl2: [] };
  let acceptedCount = 0;
  const untilMs = performance.now() + 4000;
  for (let number = 0; acceptedCount < 20 || performance.now() < untilMs; number++) {
    const { bytes, made } = mutateTemplate(seeds, seededRandom(seed + number), "json");
    if (bytes.length > 100_000 || !(await isAccepted(bytes))) continue;
    acceptedCount++;
    const text = Buffer.from(bytes).toString();
    assert.equal(complaint(JSON.parse(text)), undefined, `seed ${seed + number} (${made})\n${text}`);
  }
});

async function isAccepted(bytes: Uint8Array): Promise<boolean> {
  try {
    await readTemplate("-", {
      ...{ variables: [{ name: "source_ami", value: "ami-1" }], varFiles: [], only: [], except: [] },
      environment: {},
      startTime: new Date(0),
      stdin: async function* () {
        yield bytes;
      },
    });
    return true;
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return false;
  }
}

interface Described {
  readonly properties?: Readonly<Record<string, { readonly description?: string }>>;
}

test("an editor is told what each key is for", () => {
  const definitions = schema["definitions"] as Readonly<Record<string, Described>>;
  for (const { kind, type, schema: own } of [BUILDERS, PROVISIONERS, POST_PROCESSORS].flatMap((all) =>
    Object.values(all),
  )) {
    const properties = definitions[`${kind}-${type}`]?.properties ?? {};
    for (const key of Object.keys(own.shape)) assert.ok(properties[key]?.description !== undefined, `${type}: ${key}`);
  }
  const root = schema["properties"] as Readonly<Record<string, { readonly description?: string }>>;
  for (const key of Object.keys(ROOT_KEYS)) assert.ok(root[key]?.description !== undefined, key);
});
