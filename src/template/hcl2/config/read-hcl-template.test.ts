import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BUILD,
  type HclFiles,
  hclProblems,
  hclWarnings,
  readHcl,
  SOURCE,
} from "../../../../test/helpers/hcl-template.ts";
import type { DataSources } from "../../data-sources.ts";
import type { ReadTemplateOptions } from "../../read-template.ts";
import { TemplateError } from "../../template-error.ts";
import { NAME_HINT } from "./names.ts";

type Options = Partial<ReadTemplateOptions>;

/** A template whose image is called what the expression comes to. */
const named = (expression: string): string =>
  `source "amazon-chroot" "web" {\n  ami_name = ${expression}\n  source_ami = "ami-1"\n}\n${BUILD}`;

async function nameOf(files: HclFiles, options: Options = {}): Promise<string | undefined> {
  const { builds } = await readHcl(files, options);
  return builds[0]?.config.ami_name.render({});
}

/** The texts of the shell provisioners of each build. */
async function scriptsOf(files: HclFiles, options: Options = {}): Promise<Record<string, string[]>> {
  const { builds } = await readHcl(files, options);
  const variables = { MountPath: "/mnt/x", SourceAMI: "ami-7", Device: "/dev/sdf" };
  return Object.fromEntries(
    builds.map(({ name, provisioners }) => [
      name,
      provisioners.flatMap((plan) =>
        plan.type === "shell"
          ? (plan.config.inline ?? []).flatMap((text) => text.renderItems?.(variables) ?? text.render(variables))
          : [],
      ),
    ]),
  );
}

test("a variable takes its value from the strongest that gives one", async () => {
  const variable = 'variable "name" { default = "from-default" }\n';
  const files = {
    "a.pkr.hcl": variable + named("var.name"),
    "b.auto.pkrvars.hcl": 'name = "from-auto-b"',
    "a.auto.pkrvars.hcl": 'name = "from-auto-a"',
    "a.auto.pkrvars.json": '{"name": "from-auto-json"}',
    "one.pkrvars.hcl": 'name = "from-one"',
    "two.json": '{"name": "from-${two}"}',
  };
  const environment = { PKR_VAR_name: "from-environment", PKR_VAR_other: "x" };
  const variables = [
    { name: "name", value: "from-var" },
    { name: "name", value: "from-last-var" },
  ];
  const without = (...names: string[]) =>
    Object.fromEntries(Object.entries(files).filter(([name]) => !names.includes(name)));
  const bare = without("a.auto.pkrvars.hcl", "b.auto.pkrvars.hcl", "a.auto.pkrvars.json");
  assert.equal(await nameOf(bare), "from-default");
  assert.equal(await nameOf(bare, { environment }), "from-environment");
  assert.equal(await nameOf(without("b.auto.pkrvars.hcl", "a.auto.pkrvars.json"), { environment }), "from-auto-a");
  assert.equal(await nameOf(without("a.auto.pkrvars.json"), { environment }), "from-auto-b");
  assert.equal(await nameOf(files, { environment }), "from-auto-json");
  assert.equal(await nameOf(files, { environment, varFiles: ["one.pkrvars.hcl"] }), "from-one");
  // A text of JSON is no template.
  assert.match(
    (await hclProblems(files, { environment, varFiles: ["one.pkrvars.hcl", "two.json"] })).join(),
    /"ami_name" cannot contain "\$", "\{", "\}": it is "from-\$\{two\}"/,
  );
  assert.equal(await nameOf(files, { environment, varFiles: ["two.json"], variables }), "from-last-var");
});

test("texts and numbers of the command line and the environment are taken as they stand, all else is an expression", async () => {
  const template = `
variable "text" { type = string }
variable "number" { type = number }
variable "untyped" {}
variable "flag" { type = bool }
variable "list" { type = list(string) }
variable "object" {
  type = object({ name = string, size = optional(number, 8) })
}
${named('join("/", concat([var.text, var.number, var.untyped, "${var.flag}"], var.list, [var.object.name, var.object.size]))')}`;
  const variables = [
    { name: "text", value: '["a"]'.replaceAll(/[["\]]/g, "(") },
    { name: "number", value: "007" },
    { name: "untyped", value: "true" },
    { name: "flag", value: "!false" },
    { name: "list", value: '["b", "c"]' },
  ];
  const environment = { PKR_VAR_object: '{ name = "d" }' };
  assert.equal(await nameOf(template, { variables, environment }), "((a((/7/true/true/b/c/d/8");
});

test("values of the wrong type are told where they come from, weak ones too", async () => {
  const files = {
    "t.pkr.hcl": `variable "list" {\n  type = list(number)\n}\n${SOURCE}${BUILD}`,
    "v.pkrvars.hcl": 'list = ["x"]\n',
  };
  const problems = await hclProblems(files, {
    environment: { PKR_VAR_list: "{}" },
    varFiles: ["v.pkrvars.hcl"],
    variables: [{ name: "list", value: "[1, 2" }],
  });
  assert.deepEqual(
    problems.map((problem) => problem.replace(/ \|.*/s, "")),
    [
      '-var list:1:6 A "," or "]" is missing before the end: the "[" of column 1 is open',
      'v.pkrvars.hcl:1:9 The variable "list": [0] must be a number, not "x"',
      'PKR_VAR_list:1:1 The variable "list" must be a list of number, not an object',
    ],
  );
});

test("what nobody declares is an error of -var, a warning of a file that looks like a typing error, and else nothing", async () => {
  const files = {
    "t.pkr.hcl": `variable "region" { default = "a" }\n${SOURCE}${BUILD}`,
    "v.pkrvars.hcl": 'regoin = "x"\nother = 1\n',
  };
  assert.deepEqual(await hclProblems(files, { variables: [{ name: "regoin", value: "x" }] }), [
    'The template has no variable "regoin", which -var regoin sets | Did you mean "region"?',
  ]);
  const wrong = ["zone", " region ", "a.b"].map((name) => ({ name, value: "x" }));
  assert.deepEqual(await hclProblems(files, { variables: wrong }), [
    'The template has no variable "zone", which -var zone sets | Declare it: variable "zone" {}',
    'The template has no variable " region ", which -var  region  sets | Did you mean "region"?',
    `The template has no variable "a.b", which -var a.b sets | ${NAME_HINT}`,
  ]);
  const flag = { "t.pkr.hcl": `variable "m" { type = bool }\n${SOURCE}${BUILD}` };
  assert.deepEqual(await hclProblems(flag, { variables: [{ name: "m", value: "yes" }] }), [
    '-var m:1:1 The variable "m" must be true or false, not "yes"',
  ]);
  assert.deepEqual(await hclProblems({ ...files, "odd.vars": "" }, { varFiles: ["odd.vars"] }), [
    'The name of the variable file "odd.vars" ends in neither ".hcl" nor ".json" | Name it "odd.pkrvars.hcl"',
  ]);
  const varFiles = ["v.pkrvars.hcl"];
  const [first = "", ...others] = await hclWarnings(files, { varFiles, environment: { PKR_VAR_foo: "1" } });
  assert.match(first, /1:1 The template has no variable "regoin", which the variable file sets/);
  assert.deepEqual(others, []);
  assert.equal((await hclWarnings(files, { varFiles, warnOnUndeclaredVariables: true })).length, 2);
});

test("env() answers in defaults of variables", async () => {
  const template = `variable "who" { default = env("WHO") }\n${named('"by-${var.who}"')}`;
  assert.equal(await nameOf(template, { environment: { WHO: "me" } }), "by-me");
});

test("locals and data sources are evaluated in the order of what they need", async () => {
  const template = `
locals {
  c = "\${data.null.b.output}-c"
}
data "null" "b" { input = "\${local.a}-b" }
local "a" { expression = "\${packer.version}-a" }
${named("local.c")}`;
  assert.equal(await nameOf(template), "1.2.3-a-b-c");
});

test("path.root is the template's directory as it was given, path.cwd the working directory", async () => {
  const template = named('"${basename(path.cwd)}-${length(path.root) > 1}"');
  assert.equal(await nameOf(template, { workingDirectory: "/somewhere/here" }), "here-true");
});

test("values of sensitive variables and locals are secrets, in problems too", async () => {
  const template = `
variable "password" {
  default   = "default-secret"
  sensitive = true
}
variable "nested" {
  sensitive = true
  default   = { keys = ["list-secret", 12345678] }
}
local "derived" {
  expression = "\${upper(var.password)}-x"
  sensitive  = true
}
`;
  const { secrets } = await readHcl(template + SOURCE + BUILD, {
    variables: [{ name: "password", value: "given-secret" }],
  });
  const all = ["default-secret", "given-secret", "list-secret", "12345678", "GIVEN-SECRET-x"];
  assert.deepEqual(secrets.toSorted(), all.toSorted());
  const problems = await hclProblems(template + named('"${var.password}$"'));
  assert.match(problems.join(), /it is "<sensitive>"/);
});

test("a sensitive value that is too short to be hidden is warned of", async () => {
  const template = `variable "a" {\n  default = "x"\n  sensitive = true\n}\n${SOURCE}${BUILD}`;
  const [warning = ""] = await hclWarnings(template);
  assert.match(warning, /1:10 The sensitive variable "a" is not hidden in output/);
});

test("blocks are objects and lists as the schema wants, and dynamic ones are expanded", async () => {
  const template = `
source "amazon-chroot" "web" {
  ami_name = "web"
  source_ami_filter {
    owners  = ["self"]
    filters = { name = "x*" }
  }
  aws_polling {
    delay_seconds = 5
  }
  tags = { A = "1", B = "{{ .SourceAMI }}" }
  tag {
    key   = "C"
    value = "3"
  }
  dynamic "tag" {
    for_each = { D = "4", E = "5" }
    iterator = it
    content {
      key   = it.key
      value = it.value
    }
  }
  dynamic "snapshot_tag" {
    for_each = convert(["F", "F"], set(string))
    content {
      key   = snapshot_tag.key
      value = snapshot_tag.value
    }
  }
}
${BUILD}`;
  const { builds } = await readHcl(template);
  const config = builds[0]?.config;
  assert.deepEqual(config?.source_ami_filter?.filters, { name: "x*" });
  assert.equal(config?.aws_polling?.delay_seconds, 5);
  const shown = config?.tags.map(({ key, value }) => `${key.render({})}=${value.render({ SourceAMI: "ami-7" })}`);
  assert.deepEqual(shown, ["A=1", "B=ami-7", "C=3", "D=4", "E=5"]);
  assert.deepEqual(
    config?.snapshot_tags.map(({ value }) => value.render({})),
    ["F"],
  );
});

const TWO_BUILDS = `
source "amazon-chroot" "web" {
  ami_name   = "web"
  source_ami = "ami-1"
}
source "amazon-direct" "db" {
  source_ami = "ami-1"
}
build {
  name    = "nightly"
  sources = ["source.amazon-chroot.web"]
  source "source.amazon-direct.db" {
    name     = "database"
    ami_name = "database"
  }
  provisioner "shell" {
    inline   = ["\${build.name} \${source.type} \${source.name} \${build.MountPath} {{build_name}} {{.Device}}"]
    override = {
      database = { inline = ["overridden"] }
    }
  }
  provisioner "shell" {
    only   = ["amazon-direct.database"]
    inline = ["only database"]
  }
  dynamic "provisioner" {
    for_each = ["x", "y"]
    labels   = ["shell"]
    content {
      except = ["amazon-direct.database"]
      inline = ["\${provisioner.value} \${source.name} \${build.SourceAMI}"]
    }
  }
  post-processor "manifest" {
    output = "\${source.name}.json"
  }
  post-processors {
    post-processor "manifest" {
      name   = "first"
      output = "a"
    }
    post-processor "manifest" {
      output = "b"
    }
  }
}
build {
  sources = ["amazon-chroot.web"]
}
`;

test("nothing is told of a sensitive variable whose value cannot be read", async () => {
  const declared = (more: string) => `variable "pw" {\n  sensitive = true\n${more}}\n${SOURCE}${BUILD}`;
  const templates: readonly (readonly [HclFiles, Options?])[] = [
    [{ "t.pkr.hcl": declared('  default = "hunter2" x\n') }],
    [{ "t.pkr.hcl": declared("  default = hunter2\n") }],
    [{ "t.pkr.hcl": declared('  type = number\n  default = "hunter2"\n') }],
    [{ "t.pkr.hcl": declared(""), "v.pkrvars.hcl": "pw = hunter2\n" }, { varFiles: ["v.pkrvars.hcl"] }],
    [{ "t.pkr.hcl": declared(""), "v.pkrvars.hcl": 'pw = "hunter2\n' }, { varFiles: ["v.pkrvars.hcl"] }],
    ...[
      'pw = {\n  a = "hunter2"\n  b = hunter2b }\n',
      "pw = <<EOT\nline ${a.hunter2}\nhunter2 ${b c}\nEOT\n",
      'pw = [\n"hunter2",\nhunter2b\n]\n',
    ].map((text): [HclFiles, Options] => [
      { "t.pkr.hcl": declared(""), "v.pkrvars.hcl": text },
      { varFiles: ["v.pkrvars.hcl"] },
    ]),
    [{ "t.pkr.hcl": declared('  default = {\n    a = "x"\n    b = "hunter2" x\n  }\n') }],
    [{ "t.pkr.hcl": declared('  default = {\n    a = other("hunter2")\n    b = hunter2b()\n  }\n') }],
    [{ "t.pkr.hcl": `local "pw" {\n  sensitive = true\n  expression = tonumber("hunter2")\n}\n${SOURCE}${BUILD}` }],
    [
      { "t.pkr.hcl": declared("  type = list(string)\n") },
      { variables: [{ name: "pw", value: "hunter2.eyJz.hunter2b[0]" }] },
    ],
    [{ "t.pkr.hcl": declared(""), "v.pkrvars.json": '{"pw": "hunter2\\s"}' }, { varFiles: ["v.pkrvars.json"] }],
    [{ "t.pkr.hcl": declared("  type = map(string)\n") }, { variables: [{ name: "pw", value: '{"a b" = hunter2}' }] }],
    [{ "t.pkr.hcl": declared("  type = list(string)\n") }, { environment: { PKR_VAR_pw: '[hunter2, "x"]' } }],
  ];
  for (const [files, options = {}] of templates) {
    const error = await readHcl(files, options).then(
      () => assert.fail(`it is valid: ${JSON.stringify(files)}`),
      ({ cause }: Error) => cause,
    );
    assert.ok(error instanceof TemplateError);
    assert.doesNotMatch(JSON.stringify(error.problems), /hunter2/, JSON.stringify(files));
  }
  const { warnings } = await readHcl(declared('  default = "2retnuh"\n') + NAMED);
  assert.match(JSON.stringify(warnings), /names the build \\"<sensitive>\\"/);
});

const NAMED = `build {
  sources = ["source.amazon-chroot.web"]
  name    = "other"
  provisioner "shell" {
    inline = ["true"]
    only   = [strrev(var.pw)]
  }
}
`;

test("a list may have as many items as only the build tells", async () => {
  const lists = [
    'split(",", "echo a,echo ${build.SourceAMI}")',
    '[for part in split("-", build.SourceAMI) : "echo ${part} {{.Device}} {{`{{`}}" if part != "x"]',
    'build.SourceAMI == "ami-7" ? ["one", "two"] : ["three"]',
    'setunion(["b"], split(",", build.SourceAMI))',
    'concat(["first"], split("-", build.SourceAMI))',
  ];
  const provisioners = lists.map((list) => `  provisioner "shell" {\n    inline = ${list}\n  }\n`).join("");
  const template = { "t.pkr.hcl": SOURCE + BUILD.replace(/\}\s*$/, `${provisioners}}\n`) };
  assert.deepEqual(Object.values(await scriptsOf(template)).flat(), [
    ...["echo a", "echo ami-7", "echo ami /dev/sdf {{", "echo 7 /dev/sdf {{", "one", "two"],
    ...["ami-7", "b", "first", "ami", "7"],
  ]);
});

test("a variable of the environment is none that every object of JavaScript has", async () => {
  const text = `variable "a" {\n  default = env("constructor")\n}\n${named('"web${var.a}"')}`;
  assert.equal(await nameOf(text, { environment: process.env }), "web");
});

test("a null that only the build gives is told when it is there", async () => {
  const { builds } = await readHcl(
    SOURCE +
      BUILD.replace(
        /\}\s*$/,
        '  provisioner "shell" {\n    inline = ["x", build.SourceAMI == "ami-7" ? null : "z"]\n  }\n}\n',
      ),
  );
  const [plan] = builds[0]?.provisioners ?? [];
  assert.ok(plan?.type === "shell");
  const [, late] = plan.config.inline ?? [];
  assert.equal(late?.render({ SourceAMI: "ami-8" }), "z");
  assert.throws(() => late?.render({ SourceAMI: "ami-7" }), /Cannot evaluate .*: it must be a text, not null/);
});

test("what is not known although every data source was asked is told, and nothing is left out for it", async () => {
  const text = `${SOURCE}build {
  sources = ["source.amazon-chroot.web"]
  dynamic "provisioner" {
    for_each = [build.SourceAMI]
    labels   = ["shell"]
    content {
      inline = ["x"]
      env    = { A = provisioner.value }
    }
  }
}
`;
  assert.deepEqual(await hclProblems({ "t.pkr.hcl": text }, { dataSources: ECHO }), [
    "t.pkr.hcl:12:22 This is not known before the build runs",
  ]);
});

const CONVERTED = `
variable "flag" { default = true }
source "amazon-chroot" "web" {
  ami_name         = "web"
  source_ami       = "ami-1"
  ami_description  = var.flag
  tags             = { Encrypted = true, third = 1 / 4 }
  root_volume_size = "1e1"
  ena_support      = "1"
  max_processes    = null
}
build {
  name    = true
  sources = ["source.amazon-chroot.web"]
  provisioner "shell" {
    inline           = [true, 5]
    env              = { DEBUG = false }
    valid_exit_codes = ["0", 3]
  }
  provisioner "shell" {
    inline   = ["x"]
    binary   = true
    override = { web = { inline = "echo a,true", binary = "", env = { DEBUG = false } } }
  }
}
`;

test("values are converted as HCL does, and those of override as in JSON templates", async () => {
  for (const files of [{ "t.pkr.hcl": CONVERTED }, { "t.pkr.json": jsonOfConverted() }]) {
    const [build] = (await readHcl(files)).builds;
    assert.equal(build?.name, "true.amazon-chroot.web");
    const { config, provisioners } = build;
    assert.equal(config.ami_description?.render({}), "true");
    assert.deepEqual(
      config.tags.map(({ value }) => value.render({})),
      ["true", "0.25"],
    );
    assert.equal(config.root_volume_size, 10);
    assert.equal(config.ena_support, true);
    assert.equal(config.max_processes, 4096);
    const shells = provisioners.map((plan) => {
      if (plan.type !== "shell") return undefined;
      const { inline = [], env, valid_exit_codes, binary } = plan.config;
      return [inline.map((text) => text.render({})), env["DEBUG"]?.render({}), valid_exit_codes, binary];
    });
    assert.deepEqual(shells, [
      [["true", "5"], "false", [0, 3], false],
      [["echo a", "true"], "0", [0], false],
    ]);
  }
});

/** The same template. */
function jsonOfConverted(): string {
  const web = {
    ami_name: "web",
    source_ami: "ami-1",
    ami_description: "${var.flag}",
    tags: { Encrypted: true, third: "${1 / 4}" },
    root_volume_size: "1e1",
    ena_support: "1",
    max_processes: null,
  };
  const override = { web: { inline: "echo a,true", binary: "", env: { DEBUG: false } } };
  const shells = [
    { inline: [true, 5], env: { DEBUG: false }, valid_exit_codes: ["0", 3] },
    { inline: ["x"], binary: true, override },
  ];
  return JSON.stringify({
    variable: { flag: { default: true } },
    source: { "amazon-chroot": { web } },
    build: { name: true, sources: ["source.amazon-chroot.web"], provisioner: shells.map((shell) => ({ shell })) },
  });
}

test("each build block is built with each of its sources", async () => {
  assert.deepEqual(await scriptsOf(TWO_BUILDS), {
    "nightly.amazon-chroot.web": ["nightly amazon-chroot web /mnt/x web /dev/sdf", "x web ami-7", "y web ami-7"],
    "nightly.amazon-direct.database": ["overridden", "only database"],
    "amazon-chroot.web": [],
  });
  const { builds } = await readHcl(TWO_BUILDS);
  assert.deepEqual(
    builds.map(({ sourceName, type, config, postProcessors }) => [
      sourceName,
      type,
      config.ami_name.render({}),
      postProcessors.map((sequence) => sequence.map(({ config: { output } }) => output)),
    ]),
    [
      ["web", "amazon-chroot", "web", [["web.json"], ["a", "b"]]],
      ["database", "amazon-direct", "database", [["database.json"], ["a", "b"]]],
      ["web", "amazon-chroot", "web", []],
    ],
  );
});

test("-only and -except are patterns", async () => {
  const names = async (options: Options) => (await readHcl(TWO_BUILDS, options)).builds.map(({ name }) => name);
  assert.deepEqual(await names({ only: ["nightly.*"] }), [
    "nightly.amazon-chroot.web",
    "nightly.amazon-direct.database",
  ]);
  assert.deepEqual(await names({ only: ["*.web"] }), ["nightly.amazon-chroot.web", "amazon-chroot.web"]);
  assert.deepEqual(await names({ except: ["*.{web,db}"] }), ["nightly.amazon-direct.database"]);
  const { builds, warnings } = await readHcl(TWO_BUILDS, { except: ["fir*", "nothing.*"] });
  assert.deepEqual(
    builds[0]?.postProcessors.map((sequence) => sequence.length),
    [1],
  );
  assert.deepEqual(
    warnings.map(({ message, hint }) => [message, hint]),
    [
      [
        'No build has the name "nothing.*" of -except',
        'The builds are "nightly.amazon-chroot.web", "nightly.amazon-direct.database", "amazon-chroot.web"',
      ],
    ],
  );
});

test("a byte order mark before HCL is no part of it", async () => {
  const files = { "t.pkr.hcl": `\uFEFF${SOURCE}${BUILD}`, "x.auto.pkrvars.hcl": '\uFEFFa = "b"\n' };
  assert.deepEqual(await hclProblems({ ...files, "v.pkr.hcl": 'variable "a" {}\n' }), []);
  assert.deepEqual(await hclProblems("\uFEFFx = 1 1"), [
    '1:7 The line must end behind the value of "x", not go on with "1"',
  ]);
  assert.deepEqual(await hclProblems({ ...files, "u.pkr.json": "\uFEFF{}", "v.pkr.hcl": 'variable "a" {}\n' }), [
    "u.pkr.json:1:1 The file starts with a byte order mark (BOM), which JSON does not allow | Save it as UTF-8 without a BOM",
  ]);
});

test("a template without builds is a warning where nothing is to be built", async () => {
  const nothing = "-only and -except leave no build";
  const hint = 'Write build { sources = ["source.amazon-chroot.name"] }';
  const builds = 'The builds are "amazon-chroot.web"';
  for (const [text, only, ...expected] of [
    ["", [], `t.pkr.hcl:1:1 The template has no build block | ${hint}`],
    [SOURCE, [], `t.pkr.hcl:1:1 The template has no build block | ${hint}`],
    [
      `${SOURCE}dynamic "build" {\n  for_each = []\n  content {}\n}\n`,
      [],
      `t.pkr.hcl:1:1 The template has no build block | ${hint}`,
    ],
    [`${SOURCE}build {\n  sources = []\n}\n`, [], `t.pkr.hcl:5:1 No build block has a source | ${hint}`],
    [SOURCE + BUILD, ["zz"], `No build has the name "zz" of -only | ${builds}`, `${nothing} | ${builds}`],
  ] as const) {
    assert.deepEqual(await hclWarnings(text, { only, allowsNoBuilds: true }), expected);
    const problems = await hclProblems(text, { only });
    assert.deepEqual(problems, [expected.at(-1)?.replace("t.pkr.hcl:", "")]);
  }
});

test("a name of only, except or override that no build has is a warning: Packer never looks", async () => {
  const build = `build {
  sources = ["source.amazon-chroot.web"]
  provisioner "shell" {
    inline = ["true"]
    except = ["amazon-ebs.web"]
    override = { wbe = { inline = ["false"] } }
  }
}
`;
  assert.deepEqual(
    (await hclWarnings(build + SOURCE)).map((warning) => warning.replace(/^t.pkr.hcl:/, "")),
    [
      '5:15 "except" names the build "amazon-ebs.web", which does not exist | The builds are "amazon-chroot.web"',
      '6:18 "override" names the build "wbe", which does not exist | Did you mean "web"?',
    ],
  );
});

test("a builder of others may stand beside ours, and is refused only when it is to be built", async () => {
  const template = `source "amazon-ebs" "web" {\n  instance_type = "t3.micro"\n}\n${SOURCE}build {\n  sources = ["amazon-ebs.web", "amazon-chroot.web"]\n}\n`;
  const { builds } = await readHcl(template, { only: ["amazon-chroot.*"] });
  assert.deepEqual(
    builds.map(({ name }) => name),
    ["amazon-chroot.web"],
  );
  assert.deepEqual(await hclProblems(template), [
    '1:8 The builder "amazon-ebs" is one of Packer\'s that amibake does not have | There are amazon-chroot, amazon-direct; -only builds those alone, by their names',
  ]);
});

test("the JSON form says the same", async () => {
  const template = {
    "//": "a comment",
    variable: { name: { type: "string", default: "web" } },
    locals: { tags: { A: "${var.name}-1" } },
    source: {
      "amazon-chroot": {
        web: {
          ami_name: "${var.name}",
          source_ami_filter: { owners: ["self"], filters: { name: "x" } },
          tag: [{ key: "B", value: "2" }],
          dynamic: { tag: { for_each: "${local.tags}", content: { key: "${tag.key}", value: "${tag.value}" } } },
        },
      },
    },
    build: {
      sources: ["source.amazon-chroot.web"],
      provisioner: [{ shell: { inline: ["echo ${build.MountPath}"] } }],
      "post-processors": { "post-processor": { manifest: { output: "m.json" } } },
    },
  };
  const files = { "t.pkr.json": JSON.stringify(template) };
  const { builds } = await readHcl(files);
  const [build] = builds;
  assert.equal(build?.config.ami_name.render({}), "web");
  const tags = build?.config.tags.map(({ key, value }) => `${key.render({})}=${value.render({})}`);
  assert.deepEqual(tags?.toSorted(), ["A=web-1", "B=2"]);
  assert.deepEqual(await scriptsOf(files), { "amazon-chroot.web": ["echo /mnt/x"] });
  assert.equal(build?.postProcessors.flat().length, 1);
});

test("all files of a directory are one template", async () => {
  const files = {
    "a.pkr.hcl": BUILD,
    "b.pkr.hcl": SOURCE,
    "c.pkr.json": '{"locals": {"x": 1}}',
    "not-a-template.hcl": "!!",
    "d.pkr.hcl/e.pkr.hcl": "!!",
  };
  assert.equal(await nameOf(files), "web");
  const [problem = ""] = await hclProblems({ "x.json": "{}" });
  assert.match(problem, /^The directory ".*" has no template in it/);
});

/** Answers with what it was asked. */
const ECHO: DataSources = {
  findImage: async ({ filters, owners }) => ({
    outputs: { id: "ami-77", name: `${filters["name"]} of ${owners.join()}`, tags: { A: "tag-a" } },
  }),
  getParameter: async ({ name }) => ({ outputs: { value: `value of ${name}` } }),
  getSecret: async ({ name, key }) => ({ outputs: { value: `${name} ${key}` }, secrets: [`${name} ${key}`] }),
  fetchUrl: async ({ url }) => {
    throw new Error(`Cannot GET "${url}"`);
  },
};

const DATA = `
data "amazon-ami" "base" {
  filters = { name = "debian-*" }
  owners  = ["self"]
}
data "amazon-parameterstore" "p" { name = "/p" }
data "amazon-secretsmanager" "s" {
  name = "login"
  key  = "password"
}
`;

test("data sources are asked, and what is secret of their answers is hidden", async () => {
  const { amazon } = {
    amazon: "${data.amazon-ami.base.id}-${data.amazon-ami.base.tags.A}-${data.amazon-parameterstore.p.value}",
  };
  assert.equal(await nameOf(DATA + named(`"${amazon}"`), { dataSources: ECHO }), "ami-77-tag-a-value of /p");
  const { secrets } = await readHcl(DATA + SOURCE + BUILD, { dataSources: ECHO });
  assert.deepEqual(secrets, ["login password"]);
});

test("a data source that gives no answer is told at its block", async () => {
  const template = `data "http" "x" { url = "http://h/" }\nlocals { y = data.http.x.body }\n${named("local.y")}`;
  assert.deepEqual(await hclProblems(template, { dataSources: ECHO }), ['1:13 Cannot GET "http://h/"']);
});

test("without answers nothing is said of what depends on them, and of all else everything", async () => {
  const template = `${DATA}${named("data.amazon-ami.base.name")}`;
  assert.deepEqual((await readHcl(template)).builds, []);
  const source = `${DATA}source "amazon-chroot" "web" {\n  ami_name = "web$"\n  source_ami = data.amazon-ami.base.id\n  tags = { for k, v in data.amazon-ami.base.tags : k => v }\n  regoin = "x"\n}\n${BUILD}`;
  assert.deepEqual(
    (await hclProblems(source)).map((problem) => problem.replace(/^\d+/, "")),
    [
      ':14 "ami_name" cannot contain "$": it is "web$"',
      ':3 Unknown key "regoin" of the builder "amazon-chroot" | Did you mean "region"?',
    ],
  );
});

test("plugins are accepted, and not looked for", async () => {
  const packer =
    'packer {\n  required_version = "~> 1.7"\n  required_plugins {\n    amazon = {\n      version = ">= 1"\n      source = "github.com/hashicorp/amazon"\n    }\n  }\n}\n';
  assert.equal(await nameOf(packer + SOURCE + BUILD), "web");
});

test("a file that is missing is looked for beside the template", async () => {
  const build = 'build {\n  sources = ["source.amazon-chroot.web"]\n  provisioner "shell" { script = "setup.sh" }\n}\n';
  const files = { "t.pkr.hcl": build + SOURCE, "setup.sh": "true" };
  const [problem = ""] = await hclProblems(files);
  assert.match(problem, /^t\.pkr\.hcl:3:34 There is no file "setup\.sh" \| .*write "\$\{path\.root\}\/setup\.sh"$/);
});
