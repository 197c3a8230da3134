import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  problemLine,
  problemsOf,
  readTemplateText as read,
  START,
  templateText as template,
} from "../../test/helpers/template-text.ts";
import { seededRandom } from "../base/random.ts";
import type { BuildPlan } from "./build-plan.ts";
import type { Deferred } from "./deferred.ts";
import { type ReadTemplateOptions, readTemplate, TemplateError } from "./read-template.ts";
import { PROVISIONERS } from "./schema/components.ts";
import { NO_PROCESS_LIMIT } from "./schema/image-root-fields.ts";

type ChrootBuildPlan = Extract<BuildPlan, { type: "amazon-chroot" }>;

async function onlyBuild(text: string, options: Partial<ReadTemplateOptions> = {}): Promise<ChrootBuildPlan> {
  const { builds } = await read(text, options);
  const [build] = builds;
  assert.ok(build?.type === "amazon-chroot" && builds.length === 1);
  return build;
}

test("readTemplate() fills in today's defaults of Packer", async () => {
  const { config, name, type } = await onlyBuild(template());
  assert.equal(name, "amazon-chroot");
  assert.equal(type, "amazon-chroot");
  assert.equal(config.ami_name.render({}), "web");
  assert.equal(config.mount_path.render({ Device: "xvdf" }), "/mnt/packer-amazon-chroot-volumes/xvdf");
  assert.equal(config.command_wrapper.render({ Command: "mount a b" }), "mount a b");
  assert.deepEqual(config.copy_files, ["/etc/resolv.conf"]);
  assert.equal(config.mount_partition, undefined);
  assert.deepEqual(config.chroot_mounts, [
    ["proc", "proc", "/proc"],
    ["sysfs", "sysfs", "/sys"],
    ["bind", "/dev", "/dev"],
    ["devpts", "devpts", "/dev/pts"],
    ["binfmt_misc", "binfmt_misc", "/proc/sys/fs/binfmt_misc"],
  ]);
});

test("readTemplate() lets an empty list of files mean none, and an empty list of mounts the default", async () => {
  const { config } = await onlyBuild(template({ copy_files: [], chroot_mounts: [] }));
  assert.deepEqual(config.copy_files, []);
  assert.equal(config.chroot_mounts.length, 5);
});

test("readTemplate() treats an empty text, zero and null as no value, as Packer does", async () => {
  const { config } = await onlyBuild(
    template({ region: "", root_volume_size: 0, ena_support: null, ami_users: "", device_path: "" }),
  );
  for (const key of ["region", "root_volume_size", "ena_support", "device_path"] as const) {
    assert.equal(config[key], undefined, key);
  }
  assert.deepEqual(config.ami_users, []);
});

test("readTemplate() converts types as Packer does", async () => {
  const { config } = await onlyBuild(
    template({
      ena_support: "true",
      root_volume_size: "12",
      ami_users: "123456789012,210987654321",
      mount_partition: 2,
      ami_groups: "all",
      aws_polling: { delay_seconds: "2" },
      source_ami_filter: { most_recent: "1", owners: "self", filters: { name: "web-*", architecture: "x86_64" } },
    }),
  );
  assert.equal(config.ena_support, true);
  assert.equal(config.root_volume_size, 12);
  assert.deepEqual(config.ami_users, ["123456789012", "210987654321"]);
  assert.equal(config.mount_partition, "2");
  assert.deepEqual(config.ami_groups, ["all"]);
  assert.equal(config.aws_polling?.delay_seconds, 2);
  assert.equal(config.source_ami_filter?.most_recent, true);
  assert.deepEqual(config.source_ami_filter?.owners, ["self"]);
});

test("readTemplate() makes texts, numbers and lists as Packer's decoder of JSON does", async () => {
  const provisioners = [
    {
      type: "shell",
      inline: "echo {{user `words`}},true",
      environment_vars: "A=1,B=2",
      env: { C: true, D: 1.5 },
      valid_exit_codes: "0,0x10,010",
    },
    { type: "shell", inline: true },
  ];
  const { config, provisioners: plans } = await onlyBuild(
    template(
      {
        ami_description: false,
        tags: { yes: true, no: false, large: 1e21 },
        root_volume_size: "0x10",
        ena_support: "",
      },
      { variables: { words: "a,b" }, provisioners },
    ),
  );
  assert.equal(config.ami_description?.render({}), "0");
  assert.deepEqual(
    config.tags.map(({ value }) => value.render({})),
    ["1", "0", "1000000000000000000000"],
  );
  assert.equal(config.root_volume_size, 16);
  assert.equal(config.ena_support, undefined);
  const [first, second] = plans.map((plan) => (plan.type === "shell" ? plan.config : undefined));
  const texts = (list: readonly Deferred[] = []) => list.map((text) => text.render({}));
  assert.deepEqual(texts(first?.inline), ["echo a", "b", "true"]);
  assert.deepEqual(texts(first?.environment_vars), ["A=1", "B=2"]);
  assert.deepEqual(texts(Object.values(first?.env ?? {})), ["1", "1.5"]);
  assert.deepEqual(first?.valid_exit_codes, [0, 16, 8]);
  assert.deepEqual(texts(second?.inline), ["1"]);
});

test("readTemplate() evaluates templates, and knows the image's name when the plan is made", async () => {
  const { config } = await onlyBuild(
    template(
      {
        ami_name: "{{build_name}} {{build_type}} {{timestamp}} {{.CreateTime}} {{user `who`}}",
        tags: { "{{user `who`}}-of": "{{.SourceAMITags.Name}} {{.BuildRegion}}", count: 5 },
        region: "{{user `region`}}",
      },
      { variables: { who: "{{env `HOME`}}-{{user `region`}}", region: "eu-west-1" } },
    ),
  );
  assert.equal(config.ami_name.render({}), "amazon-chroot amazon-chroot 1795425735 1795425735 /root-eu-west-1");
  assert.equal(config.region, "eu-west-1");
  const variables = { BuildRegion: "eu-west-1", "SourceAMITags.Name": "base" };
  assert.deepEqual(
    config.tags.map(({ key, value }) => [key.render(variables), value.render(variables)]),
    [
      ["/root-eu-west-1-of", "base eu-west-1"],
      ["count", "5"],
    ],
  );
});

test("readTemplate() gives a provisioner to the builds that want it, with its override", async () => {
  const builder = { type: "amazon-chroot", ami_name: "web", source_ami: "ami-1" };
  const { builds } = await read(
    JSON.stringify({
      builders: [
        { ...builder, name: "one" },
        { ...builder, name: "two" },
      ],
      provisioners: [
        { type: "shell", inline: ["echo {{build_name}}"], override: { two: { inline: "echo a, b" } } },
        {
          type: "file",
          content: "x",
          destination: "/x",
          only: ["two"],
          pause_before: "1m30s",
          timeout: "1h",
          max_retries: 2,
        },
        { type: "file", content: "y", destination: "/y", except: "two" },
      ],
    }),
  );
  const shown = builds.map(({ name, provisioners }) => [
    name,
    ...provisioners.map((plan) =>
      plan.type !== "file"
        ? plan.type === "shell" && plan.config.inline?.map((text) => text.render({})).join(";")
        : `${plan.config.destination.render({})} ${plan.pauseBeforeMs} ${plan.timeoutMs} ${plan.retriesMax}`,
    ),
  ]);
  assert.deepEqual(shown, [
    ["one", "echo one", "/y 0 undefined 0"],
    ["two", "echo a; b", "/x 90000 3600000 2"],
  ]);
});

test("readTemplate() reads the provisioner that runs after a failure, for the builds that want it", async () => {
  const builder = { type: "amazon-chroot", ami_name: "web", source_ami: "ami-1" };
  const cleanup = { type: "shell", inline: ["echo {{build_name}}"], except: ["two"], timeout: "1m" };
  const { builds } = await read(
    JSON.stringify({
      builders: [
        { ...builder, name: "one" },
        { ...builder, name: "two" },
      ],
      "error-cleanup-provisioner": cleanup,
    }),
  );
  const [one, two] = builds.map(({ errorCleanupProvisioner }) => errorCleanupProvisioner);
  assert.ok(one?.type === "shell");
  assert.deepEqual(
    one.config.inline?.map((line) => line.render({})),
    ["echo one"],
  );
  assert.equal(one.timeoutMs, 60_000);
  assert.equal(two, undefined);
});

test("readTemplate() reads a breakpoint, whose note may use build variables", async () => {
  const breakpoint = { type: "breakpoint", note: "before {{build `SourceAMI`}}", disable: "true" };
  const { provisioners } = await onlyBuild(template({}, { provisioners: [breakpoint, { type: "breakpoint" }] }));
  const [first, second] = provisioners;
  assert.ok(first?.type === "breakpoint" && second?.type === "breakpoint");
  assert.equal(first.config.note?.render({ SourceAMI: "ami-1" }), "before ami-1");
  assert.deepEqual([first.config.disable, second.config.disable], [true, false]);
});

test("readTemplate() keeps the place of builders and provisioners", async () => {
  const { location, provisioners } = await onlyBuild(`{
  "builders": [
    {"type": "amazon-chroot", "ami_name": "web", "source_ami": "ami-1"}
  ],
  "provisioners": [
    {"type": "shell", "inline": ["true"]}
  ]
}`);
  assert.deepEqual(location, { file: "<stdin>", line: 3, column: 5 });
  assert.deepEqual(provisioners[0]?.location, { file: "<stdin>", line: 6, column: 5 });
});

test("readTemplate() takes -1 for no limit of processes; 0 is no value, as everywhere", async () => {
  const limits = [-1, "-1", 0, 60].map(async (max_processes) => {
    return (await onlyBuild(template({ max_processes }))).config.max_processes;
  });
  assert.deepEqual(await Promise.all(limits), [NO_PROCESS_LIMIT, NO_PROCESS_LIMIT, 4096, 60]);
});

const SYNTAX: readonly (readonly [text: string, problem: string])[] = [
  ["", "1:1 The file is empty; it must be a JSON object"],
  ["[]", "1:1 A template must be an object, not a list"],
  ['{"builders": [],}', '1:17 A "," is too much before this "}"'],
  ['{"builders": [1,]}', '1:17 A "," is too much before this "]"'],
  ['{\n  "builders" []\n}', '2:14 A ":" is missing'],
  ['{"a": 1 "b": 2}', '1:9 A "," is missing'],
  ["{\n  // no\n}", "2:3 JSON has no comments"],
  ['{"a": "b\tc"}', "1:9 A tab in a string | Write it as \\t"],
  ['{"a\u0007": 1}', "1:4 A control character in a string | Write it as \\u0007"],
  ['{"a": "\\x"}', "1:7 Wrong escape in a string"],
  ['{"a": "é", b}', "1:12 This is not a JSON value"],
  ['{"a": [1, 2', "1:12 The file ends too early"],
  ["{} {}", "1:4 Unexpected text after the end of the object"],
  ['{"a": 1, "a": 2}', '1:10 The key "a" is there twice'],
  [
    "\uFEFF{}",
    "1:1 The file starts with a byte order mark (BOM), which JSON does not allow | Save it as UTF-8 without a BOM",
  ],
  [`${"[".repeat(100_000)}`, "1:201 Nested deeper than 200 levels"],
  [`{"a": "${"[".repeat(300)}"}`, ""],
];

for (const [text, problem] of SYNTAX) {
  test(`readTemplate() says what is wrong in ${JSON.stringify(text.slice(0, 30))}`, async () => {
    const [first = ""] = (await problemsOf(text)).filter((found) => !/Unknown key|no builders/.test(found));
    assert.equal(first, problem);
  });
}

// The value of one key of the builder, and what is said about it.
const WRONG_KEYS: readonly (readonly [key: string, value: unknown, message: string])[] = [
  ["ami_nmae", "x", 'Unknown key "ami_nmae" of the builder "amazon-chroot" | Did you mean "ami_name"?'],
  ["zzz", "x", 'Unknown key "zzz" of the builder "amazon-chroot"'],
  ["force_deregister", true, '"force_deregister" of the builder "amazon-chroot" is not supported yet'],
  ["from_scratch", false, '"from_scratch" of the builder "amazon-chroot" is not supported yet'],
  ["ami_name", "a", '"ami_name" must have 3 to 128 characters, not the 1 of "a"'],
  ["ami_name", "web:1", '"ami_name" cannot contain ":": it is "web:1"'],
  ["ami_name", 5, '"ami_name" must have 3 to 128 characters, not the 1 of "5"'],
  ["ami_name", {}, '"ami_name" must be a string, not an object'],
  ["ami_name", true, '"ami_name" must have 3 to 128 characters, not the 1 of "1"'],
  ["ami_name", null, 'The key "ami_name" of the builder "amazon-chroot" is missing'],
  [
    "ami_name",
    "{{.Device}}",
    'Unknown build variable ".Device": here there are ".CreateTime" | To write "{{" as plain text, write {{`{{`}}',
  ],
  ["ami_description", "x".repeat(256), '"ami_description" must have at most 255 characters, not 256'],
  ["region", { a: 1 }, '"region" must be a string, not an object'],
  ["source_ami", "web", '"source_ami" must start with "ami-", not "web"'],
  ["source_ami", "", '"source_ami" or "source_ami_filter" is required'],
  ["source_ami_filter", { ownrs: [] }, 'Unknown key "ownrs" of "source_ami_filter" | Did you mean "owners"?'],
  ["source_ami_filter", { filters: { name: [] } }, '"source_ami_filter.filters.name" must be a string, not a list'],
  ["access_key", "AKIA", '"access_key" and "secret_key" go together: one of them is missing'],
  ["ena_support", "maybe", '"ena_support" must be true or false, not "maybe"'],
  ["ena_support", 2, '"ena_support" must be true or false, not 2'],
  ["root_volume_size", "ten", '"root_volume_size" must be a number, not "ten"'],
  ["root_volume_size", -1, '"root_volume_size" must be at least 1, not -1'],
  ["max_processes", -2, '"max_processes" must be at least -1, not -2'],
  ["root_volume_size", 1.5, '"root_volume_size" must be a whole number, not 1.5'],
  ["root_volume_size", 70_000, '"root_volume_size" must be at most 65536, not 70000'],
  ["ami_users", ["1"], '"ami_users[0]" must be an account id of 12 digits, not "1"'],
  ["ami_users", { a: 1 }, '"ami_users" must be a list, not an object'],
  ["ami_groups", ["everybody"], '"ami_groups[0]" must be "all": EC2 knows no other group, not "everybody"'],
  ["device_path", "sdf", '"device_path" must start with "/dev/", not "sdf"'],
  [
    "device_path",
    "/dev/nvme1n1",
    '"device_path" must be EC2\'s name for it, such as /dev/sdf: the NVMe device is found by the volume\'s id, not "/dev/nvme1n1"',
  ],
  ["mount_path", "mnt/{{.Device}}", '"mount_path" must start with "/", not "mnt/{{.Device}}"'],
  ["mount_path", "{{.Device}}", '"mount_path" must start with "/", not "{{.Device}}"'],
  ["mount_partition", "one", '"mount_partition" must be the number of a partition, not "one"'],
  [
    "mount_path",
    "/mnt/{{.MountPath}}",
    'Unknown build variable ".MountPath": here there are ".Device" | To write "{{" as plain text, write {{`{{`}}',
  ],
  ["chroot_mounts", [["proc", "proc"]], '"chroot_mounts[0]" must have 3 items, not 2'],
  ["chroot_mounts", ["proc"], '"chroot_mounts[0]" must be a list, not "proc"'],
  ["chroot_mounts", [["proc", "proc", "proc"]], '"chroot_mounts[0][2]" must start with "/", not "proc"'],
  ["copy_files", ["resolv.conf"], '"copy_files[0]" must start with "/", not "resolv.conf"'],
  ["aws_polling", { delay_seconds: -1 }, '"aws_polling.delay_seconds" must be at least 1, not -1'],
  ["tags", { "aws:x": "y" }, '"tags" has "aws:x": names that start with "aws:" are kept by AWS'],
  ["tags", { "amibake:draft": "x" }, '"tags" has "amibake:draft": amibake marks with it what is not finished'],
  [
    "tags",
    Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`tag-${index}`, ""])),
    '"tags" has 50 tags; 49 are allowed, as amibake adds one while it builds',
  ],
  ["tags", { x: "y".repeat(257) }, '"tags" has a value of 257 characters for "x"; 256 are allowed'],
  ["snapshot_tags", ["x"], '"snapshot_tags" must be an object, not a list'],
  [
    "tags",
    { "{{.Nope}}": "x" },
    'Unknown build variable ".Nope": here there are ".BuildRegion", ".SourceAMI", ".SourceAMICreationDate", ".SourceAMIName", ".SourceAMIOwner", ".SourceAMIOwnerName", ".SourceAMITags" | To write "{{" as plain text, write {{`{{`}}',
  ],
  ["region", "{{user `regoin`}}", 'Unknown user variable "regoin" | Did you mean "region"?'],
  [
    "region",
    "{{env `HOME`}}",
    'The template function "env" works only in "variables": declare a variable with it, and use that with "user"',
  ],
  ["type", "amazon-chrot", 'Unknown builder "amazon-chrot" | Did you mean "amazon-chroot"?'],
  ["type", "amazon-direkt", 'Unknown builder "amazon-direkt" | Did you mean "amazon-direct"?'],
  [
    "type",
    "amazon-ebs",
    'The builder "amazon-ebs" is one of Packer\'s that amibake does not have | There are amazon-chroot, amazon-direct; -only builds those alone, by their names',
  ],
  ["type", 5, '"type" must be a string, not 5'],
];

for (const [key, value, message] of WRONG_KEYS) {
  test(`readTemplate() explains the builder's ${key} ${JSON.stringify(value)?.slice(0, 40)}`, async () => {
    const text = template({ [key]: value }, { variables: { region: "eu-west-1" } });
    const problems = await problemsOf(text);
    assert.deepEqual(
      problems.map((problem) => problem.replace(/^\d+:\d+ /, "")),
      [message],
    );
  });
}

const WRONG_PROVISIONERS: readonly (readonly [provisioner: unknown, messages: readonly string[]])[] = [
  [5, ["A provisioner must be an object, not 5"]],
  [{}, ['The key "type" of a provisioner is missing']],
  [{ type: "shel" }, ['Unknown provisioner "shel" | Did you mean "shell"?']],
  [{ type: "ansible" }, ['The provisioner "ansible" is not supported yet']],
  [
    { type: "powershell" },
    [
      `The provisioner "powershell" is one of Packer's that amibake does not have | There are ${Object.keys(PROVISIONERS).join(", ")}`,
    ],
  ],
  [{ type: "shell" }, ['One of "inline", "script" and "scripts" is required']],
  [{ type: "shell", inline: [] }, ['One of "inline", "script" and "scripts" is required']],
  [{ type: "shell", inline: ["x"], script: "/dev/null" }, ['"script" cannot stand beside "inline"']],
  [
    { type: "shell", inlin: ["x"] },
    [
      'Unknown key "inlin" of the provisioner "shell" | Did you mean "inline"?',
      'One of "inline", "script" and "scripts" is required',
    ],
  ],
  [{ type: "shell", script: "/no/such.sh" }, ['There is no file "/no/such.sh"']],
  [
    { type: "shell", scripts: ["/no/such.sh", "/tmp"], zzz: 1 },
    [
      'There is no file "/no/such.sh"',
      'The script "/tmp" is a directory',
      'Unknown key "zzz" of the provisioner "shell"',
    ],
  ],
  [
    { type: "shell", inline: ["x"], environment_vars: ["A", "1=2", "A=b=c"] },
    [
      'An item of "environment_vars" must be "NAME=value"; this one has no "="',
      '"1" cannot be the name of an environment variable',
    ],
  ],
  [{ type: "shell", inline: ["x"], environment_vars: {} }, ['"environment_vars" must be a list, not an object']],
  [{ type: "shell", inline: ["x"], environment_vars: [null] }, ['"environment_vars[0]" must be a string, not null']],
  [{ type: "shell", inline: ["x"], valid_exit_codes: [true] }, ['"valid_exit_codes[0]" must be a number, not true']],
  [
    { type: "shell", inline: "echo {{.SourceAMI}}, b" },
    [
      '"inline" must be a list: a text is split at its commas, and this one is known only while the build runs | Write a list of texts',
    ],
  ],
  [{ type: "shell", inline: ["x"], valid_exit_codes: "0,x" }, ['"valid_exit_codes" must be a number, not "x"']],
  [{ type: "shell", inline: ["x"], env: { "A B": "x" } }, ['"A B" cannot be the name of an environment variable']],
  [
    { type: "shell", inline: ["x"], env_var_format: "%s" },
    ['"env_var_format" must have "%s" twice: the name and the value'],
  ],
  [{ type: "shell", inline: ["x"], remote_folder: "tmp" }, ['"remote_folder" must start with "/", not "tmp"']],
  [
    { type: "shell", inline: ["x"], pause_after: "soon" },
    ['"pause_after" must be a length of time, such as "90s" or "1h5m", not "soon"'],
  ],
  [
    { type: "shell", inline: ["x"], pause_before: 30 },
    ['"pause_before" must be a length of time, such as "90s" or "1h5m", not 30 | Write the unit, too: "30s"'],
  ],
  [
    { type: "shell", inline: ["x"], timeout: "1.5d" },
    ['"timeout" must be a length of time, such as "90s" or "1h5m", not "1.5d" | Write days as hours: "36h"'],
  ],
  [{ type: "shell", inline: ["x"], max_retries: "-1" }, ['"max_retries" must be at least 0, not -1']],
  [{ type: "shell", inline: ["x"], valid_exit_codes: [256] }, ['"valid_exit_codes[0]" must be at most 255, not 256']],
  [
    { type: "shell", inline: ["x"], only: ["amazon"] },
    ['"only" names the build "amazon", which does not exist | The builds are "amazon-chroot"'],
  ],
  [
    { type: "shell", inline: ["x"], only: ["amazon-chroot"], except: ["amazon-chrot"] },
    [
      '"except" cannot stand beside "only"',
      '"except" names the build "amazon-chrot", which does not exist | Did you mean "amazon-chroot"?',
    ],
  ],
  [
    { type: "shell", inline: ["x"], override: { a: {} } },
    ['"override" names the build "a", which does not exist | The builds are "amazon-chroot"'],
  ],
  [{ type: "shell", inline: ["x"], override: [] }, ['"override" must be an object, not a list']],
  [
    { type: "shell", inline: ["x"], override: { "amazon-chroot": 1 } },
    ['"override" of "amazon-chroot" must be an object, not 1'],
  ],
  [
    { type: "shell", inline: ["docker ps --format '{{.Names}}'"] },
    [
      'Unknown build variable ".Names": here there are ".BuildRegion", ".Device", ".MountPath", ".PackerRunUUID", ".SourceAMI", ".SourceAMICreationDate", ".SourceAMIName", ".SourceAMIOwner", ".SourceAMIOwnerName" | To write "{{" as plain text, write {{`{{`}}',
    ],
  ],
  [{ type: "file", destination: "/x" }, ['One of "source", "sources" and "content" is required']],
  [{ type: "file", content: "x" }, ['The key "destination" of the provisioner "file" is missing']],
  [
    { type: "file", content: "x", destination: "/etc/" },
    ['"destination" must name a file for "content", not a directory'],
  ],
  [{ type: "file", content: "x", source: "/tmp", destination: "/x" }, ['"content" cannot stand beside "source"']],
  [{ type: "file", source: "/no/such", destination: "/x" }, ['There is no file "/no/such"']],
  [
    { type: "file", source: "/a\0b", destination: "/x" },
    ['The path "/a\\u0000b" has a NUL in it, which no file\'s name can have'],
  ],
  [{ type: "file", source: "/no/such", generated: true, destination: "/x" }, []],
  [{ type: "file", source: "/no/such", direction: "download", destination: "/x" }, []],
  [{ type: "file", source: "/{{build `Device`}}", destination: "/x" }, []],
  [
    { type: "file", source: "/tmp", destination: "/x", direction: "uplaod" },
    ['"direction" must be "upload" or "download", not "uplaod" | Did you mean "upload"?'],
  ],
];

for (const [provisioner, messages] of WRONG_PROVISIONERS) {
  test(`readTemplate() judges the provisioner ${JSON.stringify(provisioner).slice(0, 70)}`, async () => {
    const problems = await problemsOf(template({}, { provisioners: [provisioner] }));
    assert.deepEqual(problems.map((problem) => problem.replace(/^\d+:\d+ /, "")).sort(), [...messages].sort());
  });
}

const WRONG_ROOTS: readonly (readonly [root: Record<string, unknown>, problem: string])[] = [
  [{ "post-processors": {} }, '"post-processors" must be a list, not an object'],
  [{ "error-cleanup-provisioner": [] }, '"error-cleanup-provisioner" must be an object, not a list'],
  [{ "error-cleanup-provisioner": {} }, 'The key "type" of a provisioner is missing'],
  [
    { push: {} },
    '"push" is not part of templates any more | Leave it out: it was for HashiCorp\'s Atlas, which is gone',
  ],
  [{ provisoners: [] }, 'Unknown key "provisoners" of the template | Did you mean "provisioners"?'],
  [{ zzz: [] }, 'Unknown key "zzz" of the template | A comment is a key that starts with "_"'],
  [{ _zzz: "a comment" }, ""],
  [{ provisioners: {} }, '"provisioners" must be a list, not an object'],
  [{ description: 5 }, '"description" must be a string, not 5'],
  [{ min_packer_version: "new" }, '"min_packer_version" must be a version such as "1.6.0", not "new"'],
  [{ min_packer_version: "1.6.0", description: "A web server" }, ""],
  [{ min_packer_version: "v1.16" }, ""],
  [{ min_packer_version: "" }, ""],
  [
    { min_packer_version: "1.16.1" },
    "The template requires Packer 1.16.1, and amibake reads the templates of 1.16.0 | Lower it if the template has nothing newer",
  ],
  [
    { min_packer_version: "2" },
    "The template requires Packer 2, and amibake reads the templates of 1.16.0 | Lower it if the template has nothing newer",
  ],
  [{ builders: [] }, "The template has no builders"],
  [{ builders: null }, "The template has no builders"],
  [{ builders: [5] }, "A builder must be an object, not 5"],
  [{ "sensitive-variables": [5] }, '"sensitive-variables" must have names of variables, not 5'],
];

for (const [root, problem] of WRONG_ROOTS) {
  test(`readTemplate() judges the template's ${JSON.stringify(root)}`, async () => {
    const problems = await problemsOf(template({}, root));
    assert.equal(problems.map((found) => found.replace(/^\d+:\d+ /, "")).join(), problem);
  });
}

test("readTemplate() answers any damage to a template with problems, and with nothing else", async () => {
  const random = seededRandom(process.pid);
  const upTo = (count: number) => Math.floor(random() * count);
  const values = [null, 5, -1.5, true, "", "{{", "{{.X}}", "a,b", [], {}, [[]], [1], { a: 1 }];
  for (let round = 0; round < 400; round++) {
    const damaged = JSON.parse(EVERY_KEY) as unknown;
    const places = placesIn(damaged);
    for (let hit = 0; hit < 3; hit++) {
      const place = places[upTo(places.length)];
      if (place !== undefined) place.container[place.key] = values[upTo(values.length)];
    }
    const text = JSON.stringify(damaged);
    const cut = upTo(4) === 0 ? text.slice(0, upTo(text.length)) : text;
    try {
      await read(cut);
    } catch (error) {
      assert.ok(error instanceof TemplateError && error.problems.length > 0, `seed ${process.pid}: ${cut}: ${error}`);
    }
  }
});

const EVERY_KEY = template(
  {
    ...{
      ami_description: "x",
      ami_users: ["123456789012"],
      ami_groups: ["all"],
      ami_product_codes: ["x"],
      tags: { a: "b" },
    },
    ...{
      snapshot_tags: { a: "b" },
      aws_polling: { delay_seconds: 1 },
      mount_path: "/mnt/{{.Device}}",
      copy_files: ["/a"],
    },
    ...{ source_ami_filter: { filters: { name: "x" }, owners: ["self"] }, chroot_mounts: [["proc", "proc", "/proc"]] },
  },
  {
    variables: { a: "{{user `b`}}", b: "x" },
    "sensitive-variables": ["a"],
    provisioners: [
      {
        type: "shell",
        inline: ["x"],
        environment_vars: ["A=b"],
        env: { A: "b" },
        override: { "amazon-chroot": { env: {} } },
      },
      { type: "file", content: "x", destination: "/x", only: ["amazon-chroot"], timeout: "1h" },
      { type: "breakpoint", note: "x", disable: true },
    ],
    "error-cleanup-provisioner": { type: "shell", inline: ["x"] },
  },
);

interface Place {
  readonly container: Record<string, unknown>;
  readonly key: string;
}

function placesIn(value: unknown): Place[] {
  if (typeof value !== "object" || value === null) return [];
  const container = value as Record<string, unknown>;
  return Object.keys(container).flatMap((key) => [{ container, key }, ...placesIn(container[key])]);
}

test("readTemplate() tells somebody who wrote only a builder to put it in a list", async () => {
  const problems = await problemsOf('{"type": "amazon-chroot", "ami_name": "x"}');
  assert.equal(
    problems[1],
    '1:2 Unknown key "type" of the template | Put the builder in a list: {"builders": [{"type": ...}]}',
  );
});

test("readTemplate() tells every problem at once, at its place, in the order of the file", async () => {
  const text = `{
  "variables": {"region": null},
  "builders": [{
    "type": "amazon-chroot",
    "ami_nmae": "web",
    "mount_path": "\\"\\u00e9\\" /mnt/{{.Devcie}}/{{user \\"nope\\"}}",
    "source_ami": "ami-1", "root_volume_size": "big"
  }],
  "provisioners": [
    {"type": "shell", "inline": ["a"], "environment_vars": ["x"]}
  ]
}`;
  assert.deepEqual(await problemsOf(text), [
    "2:17 The variable \"region\" has no value | Give it one: -var 'region=...'",
    '3:16 The key "ami_name" of the builder "amazon-chroot" is missing',
    '5:5 Unknown key "ami_nmae" of the builder "amazon-chroot" | Did you mean "ami_name"?',
    '6:38 Unknown build variable ".Devcie": here there are ".Device" | Did you mean ".Device"?',
    '6:50 Unknown user variable "nope" | Declare it: "variables": {"nope": ""}',
    '7:48 "root_volume_size" must be a number, not "big"',
    '10:61 An item of "environment_vars" must be "NAME=value"; this one has no "="',
  ]);
});

test("readTemplate() tells a provisioner's problem once, however many builds use it", async () => {
  const builder = { type: "amazon-chroot", ami_name: "web", source_ami: "ami-1" };
  const builders = ["a", "b", "c"].map((name) => ({ ...builder, name }));
  const problems = await problemsOf(JSON.stringify({ builders, provisioners: [{ type: "shell" }] }));
  assert.equal(problems.length, 1);
});

test("readTemplate() accepts the keys that Packer puts into every configuration", async () => {
  const injected = { packer_build_name: "x", packer_debug: false, packer_user_variables: {} };
  const provisioners = [{ type: "file", content: "x", destination: "/x", ...injected }];
  assert.deepEqual(await problemsOf(template(injected, { provisioners })), []);
});

test("readTemplate() refuses two builds of one name", async () => {
  const builder = { type: "amazon-chroot", ami_name: "web", source_ami: "ami-1" };
  assert.deepEqual(await problemsOf(JSON.stringify({ builders: [builder, builder] })), [
    '1:77 Two builds have the name "amazon-chroot" | Give each builder a "name" of its own',
  ]);
});

test("readTemplate() takes the builds that -only and -except leave, and warns of names that do not exist", async () => {
  const builder = { type: "amazon-chroot", ami_name: "web", source_ami: "ami-1" };
  const text = JSON.stringify({ builders: ["web", "db", "cache"].map((name) => ({ ...builder, name })) });
  const names = async (options: Partial<ReadTemplateOptions>) =>
    (await read(text, options)).builds.map(({ name }) => name);
  assert.deepEqual(await names({}), ["web", "db", "cache"]);
  assert.deepEqual(await names({ only: ["db", "web"] }), ["web", "db"]);
  assert.deepEqual(await names({ except: ["db"] }), ["web", "cache"]);
  const plan = await read(text, { only: ["web", "dbb"] });
  assert.deepEqual(plan.warnings.map(problemLine), ['No build has the name "dbb" of -only | Did you mean "db"?']);
  assert.deepEqual(await problemsOf(text, { only: ["nothing"] }), [
    '-only and -except leave no build | The builds are "web", "db", "cache"',
  ]);
  const nothing = await read(text, { only: ["nothing"], allowsNoBuilds: true });
  assert.deepEqual(nothing.builds, []);
  assert.deepEqual(nothing.warnings.map(problemLine), [
    'No build has the name "nothing" of -only | The builds are "web", "db", "cache"',
    '-only and -except leave no build | The builds are "web", "db", "cache"',
  ]);
});

test("readTemplate() warns of a source image that anybody could have made", async () => {
  const filter = (changes: object) =>
    read(template({ source_ami: null, source_ami_filter: { filters: { name: "debian-*" }, ...changes } }));
  const { warnings } = await filter({});
  assert.equal(warnings.length, 1);
  assert.match(warnings.map(problemLine)[0] ?? "", /"source_ami_filter" has no "owners"/);
  assert.deepEqual((await filter({ owners: ["self"] })).warnings, []);
});

test("readTemplate() takes -var before -var-file before the template, the last one first", async (context) => {
  const directory = await mkdtemp(join(tmpdir(), "amibake-template-"));
  context.after(() => rm(directory, { recursive: true, force: true }));
  const file = async (name: string, content: unknown) => {
    const path = join(directory, name);
    await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
    return path;
  };
  const text = template(
    { ami_name: "{{user `a`}}-{{user `b`}}-{{user `c`}}-{{user `d`}}" },
    { variables: { a: "template", b: "template", c: null, d: 4 } },
  );
  const first = await file("first.json", { b: "first", c: "first", other: "x" });
  const second = await file("second.json", { c: "second {{user `d`}}" });
  const plan = await read(text, {
    varFiles: [first, second],
    warnOnUndeclaredVariables: true,
    variables: [
      { name: "b", value: "one" },
      { name: "b", value: "{{user `a`}}2" },
    ],
  });
  assert.equal(plan.builds[0]?.config.ami_name.render({}), "template-template2-second 4-4");
  assert.deepEqual(plan.warnings.map(problemLine), [
    `${first}:1:26 The template has no variable "other", which the variable file sets | Declare it: "variables": {"other": ""}`,
  ]);

  const shared = { varFiles: [await file("shared.json", { c: "x", other: "x", aa: "x" })] };
  assert.deepEqual(
    (await read(text, shared)).warnings.map(({ hint }) => hint),
    ['Did you mean "a"?'],
  );

  const broken = await file("broken.json", '{\n  "a": [1],\n  "b": "{{nope}}"\n}');
  const wrong = await file("wrong.json", "[]");
  assert.deepEqual(
    await problemsOf(text, {
      varFiles: [broken, wrong, join(directory, "none.json")],
      variables: [
        { name: "c", value: "x {{" },
        { name: "reg", value: "x" },
      ],
    }),
    [
      `Cannot read "${directory}/none.json": there is no such file`,
      'The template has no variable "reg", which -var reg sets | Declare it: "variables": {"reg": ""}',
      '-var c:1:3 Unclosed "{{" | To write "{{" as plain text, write {{`{{`}}',
      `${broken}:2:8 The variable "a" must be a string, not a list`,
      `${broken}:3:11 Unknown template function "nope" | To write "{{" as plain text, write {{\`{{\`}}`,
      `${wrong}:1:1 A variable file must be an object, not a list`,
    ],
  );
});

const root = (members: string) => `{"builders":[],${members}}`;
const variables = (count: number, value: (index: number) => string) =>
  root(
    `"variables":${JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [`v${i}`, value(i)])))}`,
  );

const TOO_MUCH: readonly (readonly [what: string, text: string, problem: RegExp])[] = [
  ["lists behind a quote in a comment", `/*"*/${"[".repeat(9000)}`, /^1:206 Nested deeper than 200 levels$/],
  ["values", `[${"0,".repeat(300_000)}0]`, /^1:\d+ There are too many values up to here$/],
  ["text", " ".repeat(5_000_000), /^Cannot read "<stdin>": it is longer than 4 MiB$/],
  [
    "variables in a chain",
    variables(120, (index) => (index === 119 ? "x" : `{{user \`v${index + 1}\`}}`)),
    /^1:\d+ User variables use each other more than 100 deep$/,
  ],
  [
    "text from variables that double",
    variables(60, (index) => (index === 59 ? "x" : `{{user \`v${index + 1}\`}}`.repeat(2))),
    /^1:\d+ The expressions of the template give more than 67108864 characters \| Look for a variable/,
  ],
  [
    "text from a replacement",
    root(`"description":${JSON.stringify(`{{replace_all "a" "${"b".repeat(20_000)}" "${"a".repeat(20_000)}"}}`)}`),
    /The text would become longer than 16777216 characters$/,
  ],
  [
    "turns of a loop",
    root('"description":"{{range 999999999}}x{{end}}"'),
    /^1:\d+ The expressions of the template give more than 67108864 characters \| Look for a variable/,
  ],
  ["levels", root(`"description":"${"{{if 1}}".repeat(5000)}"`), /^1:\d+ Nested deeper than 100 levels$/],
  ["parentheses", root(`"description":"{{${"(".repeat(5000)}"`), /^1:\d+ More than 500 words between "{{" and "}}"$/],
  ["stages", root(`"description":"{{\`a\`${"|upper".repeat(5000)}}}"`), /^1:\d+ More than 500 words/],
];

for (const [what, text, expected] of TOO_MUCH) {
  test(`readTemplate() refuses too many ${what}`, async () => {
    const problems = (await problemsOf(text)).filter((found) => !found.includes("The template has no builders"));
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? "", expected);
  });
}

test("readTemplate() tells the first of very many problems, and long values by their ends", async () => {
  const many = template({}, Object.fromEntries(Array.from({ length: 999 }, (_, index) => [`x${index}`, 1])));
  const problems = await problemsOf(many);
  assert.equal(problems.length, 201);
  assert.equal(problems[0], "There are more than 200: only the first are told");
  const [long = ""] = await problemsOf(template({ ami_users: ["x".repeat(100_000)] }));
  assert.match(long, /^1:\d+ .{900} … x+"?$/);
  assert.ok(long.length < 1100, String(long.length));
});

test("readTemplate() masks a secret although it gives up for too many problems", async () => {
  const wrong = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`x${index}`, "{{upper `hunter2` 1}}"]));
  const problems = await problemsOf(
    template(
      {},
      { variables: { password: "hunter2", ...wrong, y: "{{hunter2}}" }, "sensitive-variables": ["password"] },
    ),
  );
  assert.ok(problems.length > 200);
  assert.doesNotMatch(problems.join("\n"), /hunter2/);
});

test("readTemplate() finds variables that go in a circle", async () => {
  const variables = { a: "{{user `b`}}", b: "{{user `c`}}", c: "{{user `a`}}", d: "{{user `d`}}" };
  assert.deepEqual(await problemsOf(template({}, { variables })), [
    '1:136 User variables go in a circle: "a" uses "b" uses "c" uses "a"',
    '1:155 User variables go in a circle: "d" uses "d"',
  ]);
});

test("readTemplate() says nothing about what uses a variable that has no good value", async () => {
  const variables = { none: null, list: [], wrong: "{{nope}}", user: "{{user `none`}}" };
  const changes = {
    ...{ ami_name: "{{user `wrong`}}", source_ami: "{{user `none`}}", region: "{{user `user`}}" },
    device_path: "{{user `list`}}",
  };
  const problems = await problemsOf(template(changes, { variables, "sensitive-variables": ["none"] }));
  assert.deepEqual(
    problems.map((problem) => problem.replace(/^\d+:\d+ | \|.*$/g, "")),
    [
      'The variable "none" has no value',
      'The variable "list" must be a string, not a list',
      'Unknown template function "nope"',
    ],
  );
});

test("readTemplate() keeps secrets apart, and out of its own messages", async () => {
  const more = { variables: { password: "hunter2", empty: "" }, "sensitive-variables": ["password", "empty"] };
  const keys = { access_key: "AKIA", secret_key: "s3cret", token: "t0ken" };
  const plan = await read(template(keys, more));
  assert.deepEqual([...plan.secrets].sort(), ["AKIA", "hunter2", "s3cret", "t0ken"]);
  assert.deepEqual(plan.warnings, []);
  // What will stand around the values of build variables.
  const command = { variables: { c: "echo pa55 | {{.Vars}} sudo {{.Path}}" }, "sensitive-variables": ["c"] };
  assert.ok((await read(template({}, command))).secrets.includes("echo pa55 | "));
  assert.deepEqual(await problemsOf(template({ device_path: "x{{user `password`}}" }, more)), [
    '1:90 "device_path" must start with "/dev/", not "x<sensitive>"',
  ]);
  assert.deepEqual(await problemsOf(template({ device_path: "x{{user `password` | upper}}-{{upper `word`}}" }, more)), [
    '1:90 "device_path" must start with "/dev/", not "x<sensitive>-WORD"',
  ]);
  const derived = {
    variables: { made: "{{user `password` | upper}}", ...more.variables },
    "sensitive-variables": ["password"],
  };
  assert.match(
    (await problemsOf(template({ device_path: "x{{user `made`}}" }, derived))).join(),
    /not "x<sensitive>"$/,
  );
});

test("readTemplate() tells nothing of a secret that is in parts, wrong, or in a file that cannot be parsed", async (context) => {
  const directory = await mkdtemp(join(tmpdir(), "amibake-secrets-"));
  context.after(() => rm(directory, { recursive: true }));
  const told = async (changes: Record<string, unknown>, pw: string, options: object = {}) => {
    const text = template(changes, { variables: { pw }, "sensitive-variables": ["pw"] });
    const error = await read(text, options).then(
      () => assert.fail("it is valid"),
      (error: unknown) => error as TemplateError,
    );
    assert.doesNotMatch(JSON.stringify(error.problems), /hunter2|secret9/);
    return error.problems.map(({ message }) => message);
  };
  const given = (value: string) => ({ variables: [{ name: "pw", value }] });
  assert.deepEqual(await told({ ami_users: "{{user `pw`}}" }, "hunter2,secret9"), [
    '"ami_users[0]" must be an account id of 12 digits, not "<sensitive>"',
    '"ami_users[1]" must be an account id of 12 digits, not "<sensitive>"',
  ]);
  assert.deepEqual(await told({}, "", given("top{{hunter2}}x")), ['Unknown template function "<sensitive>"']);
  assert.deepEqual(await told({}, "", given("top{{user `hunter2`}}x")), ['Unknown user variable "<sensitive>"']);
  assert.deepEqual(await told({ ami_description: "{{user `pw`}}" }, "{{.hunter2}}"), [
    "What this gives is evaluated, too, and something in its braces is wrong",
  ]);
  const given9 = [
    '{"pw":\n ["hunter2",\n "secret9"}',
    '{"pw": ["hunter2", {"secret9": 1}]}',
    '{"pw": "hunter2",\n"pw": "secret9"}',
    "{'pw': 'hunter2'}",
  ];
  for (const text of [
    ...given9,
    '{\n "pw": "hunter2\\secret9"\n}',
    '{"a": 1, "pw": "hunter2',
    '{"pw": hunter2 "secret9"}',
  ]) {
    const file = join(directory, "v.json");
    await writeFile(file, text);
    assert.equal((await told({}, "", { varFiles: [file] })).length, 1, text);
  }
  const wrong = template({}, { variables: { pw: "X" }, "sensitive-variables": ["pw"] }).replace(
    '"X"',
    '"hunter2\\secret9"',
  );
  assert.doesNotMatch((await problemsOf(wrong)).join(), /hunter2/);
});

test("readTemplate() warns of a sensitive variable that is not declared", async () => {
  const plan = await read(template({}, { variables: { password: "" }, "sensitive-variables": ["passwort"] }));
  assert.deepEqual(
    plan.warnings.map(({ message, hint }) => `${message} | ${hint}`),
    ['"sensitive-variables" names "passwort", which is not a variable | Did you mean "password"?'],
  );
});

test("readTemplate() warns of a sensitive variable that is too short to be hidden", async () => {
  const plan = await read(template({}, { variables: { pin: "123" }, "sensitive-variables": ["pin"] }));
  assert.deepEqual(
    plan.warnings.map(({ message }) => message),
    ['The sensitive variable "pin" is not hidden in output: its value has fewer than 4 characters'],
  );
});

test("readTemplate() knows the directory of the template, and says so to who forgets it", async (context) => {
  const directory = await mkdtemp(join(tmpdir(), "amibake-template-"));
  context.after(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, "web.json");
  await writeFile(join(directory, "beside.sh"), "true\n");
  const options: ReadTemplateOptions = {
    variables: [],
    varFiles: [],
    only: [],
    except: [],
    environment: {},
    startTime: START,
  };
  const withScript = async (script: string) => {
    await writeFile(path, template({}, { provisioners: [{ type: "shell", script }] }));
    return readTemplate(path, options);
  };
  const plan = await withScript("{{template_dir}}/beside.sh");
  const provisioner = plan.builds[0]?.provisioners[0];
  assert.ok(provisioner?.type === "shell");
  assert.equal(provisioner.config.script, join(directory, "beside.sh"));
  await assert.rejects(withScript("beside.sh"), (error: unknown) => {
    assert.ok(error instanceof TemplateError);
    assert.equal(error.message, `Cannot use the template "${path}": it has 1 problem`);
    assert.deepEqual(
      error.problems.map(({ message, hint }) => [message, hint]),
      [
        [
          'There is no file "beside.sh"',
          'Paths start at the working directory; this one is beside the template: write "{{template_dir}}/beside.sh"',
        ],
      ],
    );
    return true;
  });
  assert.match((await problemsOf(template({ region: "{{template_dir}}" })))[0] ?? "", /comes from standard input/);
});

test("readTemplate() says clearly what it cannot read", async (context) => {
  const directory = await mkdtemp(join(tmpdir(), "amibake-template-"));
  context.after(() => rm(directory, { recursive: true, force: true }));
  await writeFile(join(directory, "latin1.json"), Buffer.from('{\n "a": "\xe9"}', "latin1"));
  const problem = async (path: string) => {
    try {
      await readTemplate(path, {
        variables: [],
        varFiles: [],
        only: [],
        except: [],
        environment: {},
        startTime: START,
      });
    } catch (error) {
      assert.ok(error instanceof TemplateError);
      return error.problems.map(problemLine).join();
    }
    return "";
  };
  assert.equal(await problem("/no/such.json"), 'Cannot read "/no/such.json": there is no such file');
  assert.equal(await problem("/dev/null/x"), 'Cannot read "/dev/null/x": a part of the path is not a directory');
  assert.equal(await problem("/dev/zero"), 'Cannot read "/dev/zero": it is longer than 4 MiB');
  assert.match(await problem(directory), /^The directory ".*" has no template in it \|/);
  assert.match(await problem(join(directory, "a.pkr.hcl")), /^Cannot read ".*a\.pkr\.hcl": there is no such file$/);
  assert.equal(
    await problem(join(directory, "latin1.json")),
    `${directory}/latin1.json:2:8 The file is not UTF-8 text`,
  );
});
