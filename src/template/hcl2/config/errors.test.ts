// What is said of templates with mistakes: every problem at once, each at its place.
import assert from "node:assert/strict";
import { test } from "node:test";
import { BUILD, hclProblems, SOURCE } from "../../../../test/helpers/hcl-template.ts";
import { NAME_HINT } from "./names.ts";

const REST = SOURCE + BUILD;

/** Templates whose first line, or lines, are wrong; the rest is good. */
const WRONG: readonly (readonly [what: string, text: string, ...problems: string[]])[] = [
  [
    "a version that is required",
    'packer { required_version = ">= 99" }',
    "1:29 The template requires Packer >= 99, and amibake reads the templates of 1.16.0",
  ],
  [
    "a constraint that is none",
    'packer { required_version = ">> 1" }',
    '1:29 "required_version" must be a constraint such as ">= 1.7.0, < 2.0.0": ">> 1" is no constraint of a version',
  ],
  [
    "a key of packer",
    'packer { requird_version = "1" }',
    '1:10 Unknown key "requird_version" of the block "packer" | Did you mean "required_version"?',
  ],
  [
    "a block that there is not",
    'sorce "amazon-chroot" "x" {}',
    '1:1 Unknown block "sorce" of the template | Did you mean "source"?',
  ],
  [
    "a service of HashiCorp's",
    "hcp_packer_registry {}",
    '1:1 "hcp_packer_registry" is for a service of HashiCorp\'s, which amibake does not use | Leave the block out',
  ],
  [
    "a part that an object does not have",
    'locals {\n  m = { production = "x" }\n  a = local.m.dev\n}',
    '3:15 There is no "local.m.dev" | There is "local.m.production"',
  ],
  [
    "a value outside of blocks",
    "x = 1",
    '1:1 Unknown key "x" of the template | A value of your own stands in a block: locals { x = … }',
  ],
  [
    "too few labels",
    'source "amazon-chroot" {}',
    '1:1 A "source" block has two labels, its type and its name, not 1 label | Write source "type" "name" { … }',
  ],
  [
    "the name of a build as a label",
    'build "web" {}',
    '1:7 A "build" block has no label, not 1 label | Name it inside: name = "web"',
  ],
  ["too many labels", 'locals "x" {}', '1:8 A "locals" block has no label, not 1 label | Write locals { … }'],
  [
    "a type",
    'variable "a" {\n  type = sting\n  default = 1\n}',
    '2:10 There is no type "sting" | Did you mean "string"?',
  ],
  [
    "types named as what every object of JavaScript has",
    'variable "a" {\n  type = constructor(string)\n  default = 1\n}\nvariable "b" {\n  type = __proto__\n  default = 1\n}',
    '2:10 There is no type "constructor" | Write a type such as string or list(string)',
    '6:10 There is no type "__proto__" | Write a type such as string or list(string)',
  ],
  ["the name of a local", 'local "1d" { expression = 1 }', `1:7 "1d" cannot be the name of a local | ${NAME_HINT}`],
  [
    "the name of a data source",
    'data "null" "a b" { input = "x" }',
    `1:13 "a b" cannot be the name of a data source | ${NAME_HINT}`,
  ],
  [
    "a default of another type",
    'variable "a" {\n  type = number\n  default = "x"\n}',
    '3:13 "default" must be a number, not "x"',
  ],
  [
    "a key of a variable",
    'variable "a" {\n default = 1\n defalt = 2\n}',
    '3:2 Unknown key "defalt" of a variable | Did you mean "default"?',
  ],
  ["a variable without a value", 'variable "a" {}', "1:10 The variable \"a\" has no value | Give it one: -var 'a=...'"],
  [
    "a function in a default",
    'variable "a" { default = upper("x") }',
    '1:26 Only "env" can be called here, not "upper"',
  ],
  [
    "a name in a default",
    'variable "a" { default = local.x }',
    '1:26 Unknown name "local": no names can be used here | A local can use it: locals { name = local.… }',
  ],
  [
    "a default that is not valid",
    'variable "a" {\n  default = "x"\n  validation {\n    condition = length(var.a) > 3\n    error_message = "At least 4 characters."\n  }\n}',
    '1:10 The value of the variable "a" cannot be used: At least 4 characters.',
  ],
  [
    "a validation that asks for others",
    'variable "a" {\n  default = "x"\n  validation {\n    condition = var.b == 1\n    error_message = "No."\n  }\n}',
    '4:17 The condition can use no other name than "var.a"',
  ],
  [
    "a validation that asks for others beside its own, which are there",
    'variable "b" { default = 1 }\nlocals { c = 1 }\nvariable "a" {\n  default = 1\n  validation {\n    condition = var.a == var.b && [for var in [1] : var.x] != local.c\n    error_message = "No."\n  }\n}',
    '6:26 The condition can use no other name than "var.a"',
    '6:63 The condition can use no other name than "var.a"',
  ],
  [
    "a validation that asks for nothing",
    'variable "a" {\n  default = 1\n  validation {\n    condition = true\n    error_message = "No."\n  }\n}',
    '4:17 The condition must use "var.a" | Without it, it is the same for every value',
  ],
  [
    "validations whose messages are no sentences",
    `variable "a" {\n  default = 1\n${['""', '"bad."', '"Bad"', '"日本."', "5", "null", "[1]"]
      .map((text) => `  validation {\n    condition = var.a == 1\n    error_message = ${text}\n  }\n`)
      .join("")}}`,
    ...[5, 9, 13, 17, 21, 25, 29].map(
      (line) =>
        `${line}:21 "error_message" must be a sentence: it begins with a capital letter and ends with ".", "?" or "!" | For example: "The value must have 4 characters."`,
    ),
  ],
  [
    "validations whose messages are evaluated",
    'variable "a" {\n  default = 1\n  validation {\n    condition = var.a == 1\n    error_message = "Not ${var.a}."\n  }\n  validation {\n    condition = var.a == 1\n    error_message = upper("x.")\n  }\n}',
    '5:28 Unknown name "var": no names can be used here | A local can use it: locals { name = var.… }',
    "9:21 No function can be called here",
  ],
  [
    "half a validation",
    'variable "a" {\n  default = "x"\n  validation {}\n}',
    '3:3 The key "condition" of a validation is missing',
    '3:3 The key "error_message" of a validation is missing',
  ],
  [
    "two variables of one name",
    'variables { a = 1 }\nvariable "a" { default = 2 }',
    '2:10 Two variables have the name "a"; the other one is at 1:13',
  ],
  [
    "two locals of one name",
    'locals { a = 1 }\nlocal "a" { expression = 2 }',
    '2:7 Two locals have the name "a"; the other one is at 1:10',
  ],
  ["a local without a value", 'local "a" { sensitive = true }', '1:7 The key "expression" of a local is missing'],
  [
    "a block in locals",
    "locals {\n  a { b = 1 }\n}",
    '2:3 A "locals" block has no blocks in it | For an object, write name = { … }',
  ],
  [
    "locals in a circle",
    "locals {\n  a = local.b\n  b = local.c\n  c = local.a\n  d = local.a\n}",
    "2:3 Values that need each other: local.a (2:3) -> local.b (3:3) -> local.c (4:3) -> local.a | Give one of them a value that does not use the others",
  ],
  [
    "a circle through a data source",
    'locals { a = data.null.x.output }\ndata "null" "x" { input = local.a }',
    "1:10 Values that need each other: local.a (1:10) -> data.null.x (2:13) -> local.a | Give one of them a value that does not use the others",
  ],
  [
    "names that do not exist, all of them",
    "locals {\n  a = [var.x, local.y, data.null.z.output, foo.bar, lcal.a]\n}",
    '2:12 There is no "var.x" | Declare it: variable "x" {}',
    '2:21 There is no "local.y" | Declare it: locals { y = … }',
    '2:29 There is no "data.null" | Declare it: data "null" "z" { … }',
    '2:44 Unknown name "foo": there are "local", "data", "var", "path", "packer" | If it is a text, write "foo"',
    '2:53 Unknown name "lcal": there are "local", "data", "var", "path", "packer" | Did you mean "local"?',
  ],
  ["a data source", 'data "amazon-am" "x" {}', '1:6 Unknown data source "amazon-am" | Did you mean "amazon-ami"?'],
  [
    "a key of a data source",
    'data "null" "x" { inputs = "a" }',
    '1:1 The key "input" of the data source "null" is missing',
    '1:19 Unknown key "inputs" of the data source "null" | Did you mean "input"?',
  ],
  [
    "two data sources of one name",
    'data "null" "x" { input = "a" }\ndata "null" "x" { input = "a" }',
    '2:13 Two data sources have the name "null.x"; the other one is at 1:13',
  ],
];

for (const [what, text, ...expected] of WRONG) {
  test(`an HCL2 template is told what is wrong: ${what}`, async () => {
    const problems = await hclProblems(`${text}\n${REST}`);
    assert.deepEqual(problems, expected);
  });
}

/** Keys of the source. */
const WRONG_SOURCES: readonly (readonly [what: string, keys: string, ...problems: string[]])[] = [
  ["a key", 'ami_nam = "x"', '4:1 Unknown key "ami_nam" of the builder "amazon-chroot" | Did you mean "ami_name"?'],
  ["a type of value", 'root_volume_size = "big"', '4:20 "root_volume_size" must be a number, not "big"'],
  [
    "a value in a list",
    'ami_users = ["123456789012", "12"]',
    '4:30 "ami_users[1]" must be an account id of 12 digits, not "12"',
  ],
  [
    "a text for a list",
    'ami_users = "123456789012,210987654321"\nami_groups = "all"\nmount_options = 5',
    '4:13 "ami_users" must be a list, not "123456789012,210987654321" | Write it in brackets: [ … ]',
    '5:14 "ami_groups" must be a list, not "all" | Write it in brackets: [ … ]',
    '6:17 "mount_options" must be a list, not 5 | Write it in brackets: [ … ]',
  ],
  [
    "an empty text for a number and a boolean",
    'root_volume_size = ""\nena_support = ""',
    '4:20 "root_volume_size" must be a number, not "" | For none, write null',
    '5:15 "ena_support" must be true or false, not "" | For none, write null',
  ],
  [
    "numbers and booleans for each other",
    'root_volume_size = true\nena_support = 1\nsuppress_sync = "True"',
    '4:20 "root_volume_size" must be a number, not true',
    '5:15 "ena_support" must be true or false, not 1',
    '6:17 "suppress_sync" must be true or false, not "True"',
  ],
  [
    "a number that no computer's has",
    "ena_support = 1e400\nroot_volume_size = -1e400",
    `4:15 "ena_support" must be true or false, not 1${"0".repeat(400)}`,
    '5:20 "root_volume_size" is below what a number can be',
  ],
  [
    "an expression of JSON templates for a number",
    'root_volume_size = "{{upper `8`}}"',
    '4:20 "root_volume_size" must be a number, not "{{upper `8`}}"',
  ],
  ["null in an object", "tags = { a = null }", '4:14 "tags.a" must be a string, not null'],
  ["a block for a value", "tags { a = 1 }", '4:1 "tags" is not a block | Write tags = { … }'],
  [
    "a value for a block",
    "aws_polling = { delay_seconds = 1 }",
    '4:1 "aws_polling" is a block | Write aws_polling { … } without "="',
  ],
  ["two blocks where there is one", "aws_polling {}\naws_polling {}", '5:1 There can be one "aws_polling" only'],
  ["a label of a block", 'aws_polling "x" {}', '4:13 "aws_polling" has no label here'],
  [
    "a key of a repeated block",
    'tag {\n  key = "a"\n  valu = "b"\n}',
    '6:3 Unknown key "valu" of "tag[0]" | Did you mean "value"?',
  ],
  [
    "a label as a key",
    'name = "x"\ntype = "y"',
    '4:1 "name" is a label of the block, and no key in it | Leave it out',
    '5:1 "type" is a label of the block, and no key in it | Leave it out',
  ],
  [
    "a value that a build has later",
    "region = build.BuildRegion",
    '4:10 "build" is known to provisioners and post-processors only | In a source, write what exists while it is built as {{ .SourceAMI }}',
  ],
  [
    "a Go template",
    'region = "{{ .Device }}"',
    '4:14 No build variable such as ".Device" exists here | To write "{{" as plain text, write {{`{{`}}',
  ],
  [
    "a variable of JSON templates",
    'region = "{{ user `x` }}"',
    '4:14 The template function "user" is for JSON templates: in HCL2, write ${var.name}',
  ],
  [
    "a key that there is not yet",
    'kms_key_id = "x"',
    '4:1 "kms_key_id" of the builder "amazon-chroot" is not supported yet',
  ],
  [
    "a dynamic block without for_each",
    'dynamic "tag" {\n  content {}\n}',
    '4:1 The key "for_each" of a dynamic block is missing',
  ],
  [
    "a dynamic block of no list",
    'dynamic "tag" {\n  for_each = 5\n  content {}\n}',
    '5:14 "for_each" must be a list, a set, a map or an object',
  ],
  [
    "a dynamic block with a mistake in each",
    'dynamic "tag" {\n  for_each = ["a", "b"]\n  content {\n    key = tag.value\n    value = tag.valu\n  }\n}',
    '8:17 The object has no attribute "valu" | Did you mean "value"?',
  ],
];

for (const [what, keys, ...expected] of WRONG_SOURCES) {
  test(`a source is told what is wrong: ${what}`, async () => {
    const source = `source "amazon-chroot" "web" {\n  ami_name = "web"\n  source_ami = "ami-1"\n${keys}\n}\n`;
    assert.deepEqual(await hclProblems(source + BUILD), expected);
  });
}

/** What stands in the build. */
const WRONG_BUILDS: readonly (readonly [what: string, keys: string, ...problems: string[]])[] = [
  ["a key", 'provisoner "shell" {}', '3:1 Unknown key "provisoner" of a build | Did you mean "provisioner"?'],
  ["a provisioner", 'provisioner "shel" {}', '3:13 Unknown provisioner "shel" | Did you mean "shell"?'],
  [
    "a provisioner without a type",
    "provisioner {}",
    '3:1 A "provisioner" block has a label, its type, not 0 labels | Write provisioner "type" { … }',
  ],
  [
    "a post-processor that amibake does not have",
    'post-processor "vagrant" {}',
    '3:16 The post-processor "vagrant" is one of Packer\'s that amibake does not have | There are manifest',
  ],
  [
    "something else among post-processors",
    "post-processors {\n  x = 1\n}",
    '4:3 Unknown key "x" of post-processors | It has blocks in it: post-processor "manifest" { … }',
  ],
  [
    "a key of a provisioner",
    'provisioner "shell" {\n  inlin = []\n}',
    '3:1 One of "inline", "script" and "scripts" is required',
    '4:3 Unknown key "inlin" of the provisioner "shell" | Did you mean "inline"?',
  ],
  [
    "a build variable",
    'provisioner "shell" {\n  inline = ["${build.Mountpath}"]\n}',
    '4:22 There is no "build.Mountpath" | Did you mean "build.MountPath"?',
  ],
  [
    "a setting of a provisioner and of a post-processor",
    'provisioner "shell" {\n  inline = ["true"]\n  onyl = ["x"]\n  overide = {}\n}\npost-processor "manifest" {\n  excpet = ["x"]\n}',
    '5:3 Unknown key "onyl" of the provisioner "shell" | Did you mean "only"?',
    '6:3 Unknown key "overide" of the provisioner "shell" | Did you mean "override"?',
    '9:3 Unknown key "excpet" of the post-processor "manifest" | Did you mean "except"?',
  ],
  [
    "a setting in override",
    'provisioner "shell" {\n  inline = ["true"]\n  override = { web = { only = ["x"] } }\n}',
    '5:24 "override" cannot change "only" | It stands beside "override"',
  ],
  [
    "build variables that a chroot cannot have",
    'provisioner "shell" {\n  inline = ["${build.ID}", build.Host, build.PackerHTTPAddr]\n}',
    ...[
      ['4:22 "build.ID"', "no instance is launched"],
      ['4:34 "build.Host"', "a chroot has no connection"],
      ['4:46 "build.PackerHTTPAddr"', 'there is no HTTP server; the provisioner "file" puts files into the image'],
    ].map(
      ([name, why]) =>
        `${name} has no value here: ${why} | There are "build.BuildRegion", "build.Device", "build.MountPath", "build.PackerRunUUID", "build.SourceAMI", "build.SourceAMICreationDate", "build.SourceAMIName", "build.SourceAMIOwner", "build.SourceAMIOwnerName", "build.name"`,
    ),
  ],
  [
    "a Go template beside a build variable",
    'provisioner "shell" {\n  inline = ["${build.MountPath} {{ .Devic }}"]\n}',
    '4:13 Unknown build variable ".Devic": here there are ".BuildRegion", ".Device", ".MountPath", ".PackerRunUUID", ".SourceAMI", ".SourceAMICreationDate", ".SourceAMIName", ".SourceAMIOwner", ".SourceAMIOwnerName" | Did you mean ".Device"?',
  ],
  [
    "a value that must be known before",
    'provisioner "shell" {\n  script = "x-${build.MountPath}-${build.Device}"\n}',
    '4:12 "script" must be known before the build runs, and "build.Device" and "build.MountPath" are not',
  ],
  [
    "functions of JSON templates",
    'provisioner "shell" {\n  inline = ["{{env `HOME`}}{{consul_key `a`}}"]\n}',
    '4:16 The template function "env" is for JSON templates: in HCL2, write default = env("NAME") in a variable, and ${var.name} here',
    '4:30 The template function "consul_key" is for JSON templates: in HCL2, write ${consul_key(…)}',
  ],
  [
    "dynamic blocks of the build that it cannot have",
    'dynamic "dynamic" {\n  for_each = [1]\n  labels = ["provisioner"]\n  content {}\n}\ndynamic "provisionr" {\n  for_each = []\n  labels = ["shell"]\n  content {}\n}',
    "3:9 A dynamic block cannot make dynamic blocks",
    '8:9 A dynamic block cannot make blocks of the type "provisionr" here | Did you mean "provisioner"?',
  ],
  [
    "dynamic blocks that only the build could tell",
    'dynamic "provisioner" {\n  for_each = split("/", build.MountPath)\n  labels = ["shell"]\n  content {\n    inline = ["x"]\n  }\n}',
    '4:14 "for_each" must be known before the build runs',
  ],
  [
    "a dynamic block of a type that there is not, which makes none",
    'provisioner "shell" {\n  inline = ["true"]\n  dynamic "foo" {\n    for_each = []\n    content {}\n  }\n}',
    '5:11 Unknown key "foo" of the provisioner "shell"',
  ],
  [
    "lengths of time that are none",
    'provisioner "shell" {\n  inline = ["true"]\n  timeout = "-5s"\n  pause_before = "1 day"\n}',
    '5:13 "timeout" must be a length of time, such as "90s" or "1h5m", not "-5s" | It cannot be negative',
    '6:18 "pause_before" must be a length of time, such as "90s" or "1h5m", not "1 day" | Write days as hours: "24h"',
  ],
  [
    "a format of variables that only the build knows",
    'provisioner "shell" {\n  inline = ["true"]\n  env_var_format = "${build.Device}%s=%s"\n}\nprovisioner "shell" {\n  inline = ["true"]\n  env_var_format = ["x"]\n}',
    '5:20 "env_var_format" must be known before the build runs, and "build.Device" is not',
    '9:20 "env_var_format" must be a string, not a list',
  ],
  [
    "what a list that is known later cannot be",
    'provisioner "shell" {\n  scripts = split("-", build.SourceAMI)\n  env = { "${build.Device}" = "x" }\n}',
    '4:13 "scripts" must be known before the build runs, and "build.SourceAMI" is not',
    "5:11 A key must be known before the build runs",
  ],
  [
    "a list that is known later for a text",
    'provisioner "file" {\n  content = split("-", build.SourceAMI)\n  destination = "/x"\n}',
    '4:13 "content" must be a string, not a list or an object',
  ],
  [
    "a Go template in a list that is known later",
    'provisioner "shell" {\n  inline = [for part in split("-", build.SourceAMI) : "{{nope}}${part}"]\n}',
    '4:12 Unknown template function "nope" | To write "{{" as plain text, write {{`{{`}}',
  ],
  [
    "both of only and except",
    'provisioner "shell" {\n  inline = ["true"]\n  only = ["amazon-chroot.web"]\n  except = ["amazon-chroot.web"]\n}',
    '6:12 "except" cannot stand beside "only"',
  ],
  [
    "a registry",
    "hcp_packer_registry {}",
    '3:1 "hcp_packer_registry" is for a service of HashiCorp\'s, which amibake does not use | Leave the block out',
  ],
  [
    "two error-cleanup-provisioners",
    'error-cleanup-provisioner "shell" { inline = ["a"] }\nerror-cleanup-provisioner "shell" { inline = ["a"] }',
    '4:1 There can be one "error-cleanup-provisioner" only',
  ],
  [
    "the same source twice",
    'source "amazon-chroot.web" {}',
    '3:8 Two builds have the name "amazon-chroot.web" | Give the build block a "name", or the source another one: source "…" { name = "…" }',
  ],
  [
    "a source that sets a key again",
    'source "amazon-chroot.web" {\n  name = "other"\n  ami_name = "x"\n}',
    '5:3 "ami_name" is set at 9:3 already | In a build, a source gets keys that it does not have yet; for one that differs, use a source of its own',
  ],
  [
    "a source that there is not",
    'source "amazon-chroot.wb" {}',
    '3:8 There is no source "amazon-chroot.wb" | Did you mean "source.amazon-chroot.web"?',
  ],
];

for (const [what, inside, ...expected] of WRONG_BUILDS) {
  test(`a build is told what is wrong: ${what}`, async () => {
    const build = `build {\n  sources = ["source.amazon-chroot.web"]\n${inside}\n}\n`;
    const problems = await hclProblems(build + SOURCE);
    assert.deepEqual(problems, expected);
  });
}
