import assert from "node:assert/strict";
import { test } from "node:test";
import { ToolError } from "../../base/errors.ts";
import type { TemplateScope } from "./bind.ts";
import { compileTemplate } from "./compile.ts";
import { ABSENT_FUNCTIONS, createFunctions } from "./functions.ts";
import { TemplateFunctionError } from "./template-function.ts";

const FUNCTIONS = createFunctions({
  startTime: new Date("2026-11-23T09:22:15.137Z"),
  workingDirectory: "/work",
  templateDirectory: "/templates",
  toolVersion: "1.2.3",
  userVariable(name) {
    if (name === "name") return "Web";
    throw new TemplateFunctionError(`Unknown user variable "${name}"`);
  },
});

const SCOPE: TemplateScope = {
  functions: FUNCTIONS,
  absentFunctions: ABSENT_FUNCTIONS,
  fields: new Set(["Device", "SourceAMI", "SourceAMITags"]),
  hasBuildFunction: true,
  known: {},
};

function render(source: string, variables: Record<string, string> = {}): string {
  const compiled = compileTemplate(source, SCOPE);
  if ("errors" in compiled) throw new Error(compiled.errors.map(({ message }) => message).join("; "));
  return compiled.text.render(variables);
}

function errors(source: string, scope = SCOPE): string[] {
  const compiled = compileTemplate(source, scope);
  return "errors" in compiled
    ? compiled.errors.map(
        ({ offset, message, hint }) => `${offset}: ${message}${hint === undefined ? "" : ` | ${hint}`}`,
      )
    : [];
}

// Each was given to Packer 1.6.6 (`packer console`), which answered the same.
const EXPRESSIONS: readonly (readonly [source: string, rendered: string])[] = [
  ["plain } text {", "plain } text {"],
  ["{{user `name`}}", "Web"],
  ['{{ user "name" }}', "Web"],
  ["{{user `name` | upper}}", "WEB"],
  ["{{upper (user `name`) }}", "WEB"],
  ["{{user `name` | upper | lower}}", "web"],
  ['{{upper "é"}}', "É"],
  ['{{split "a-b-c" "-" 1}}', "b"],
  ['{{replace "a" "b" 1 "aaa"}}', "baa"],
  ['{{"aaa" | replace "a" "b" 2}}', "bba"],
  ['{{replace_all "a" "b" "aaa"}}', "bbb"],
  ['{{replace "" "-" -1 "ab"}}', "-a-b-"],
  ["{{timestamp}}", "1795425735"],
  ["{{isotime}}", "2026-11-23T09:22:15Z"],
  ["{{pwd}} {{template_dir}}", "/work /templates"],
  ["{{true}} {{1.0}} {{0x10}} {{1e3}} {{-1}} {{'a'}} {{017}}", "true 1 16 1000 -1 97 15"],
  ["{{(1)}}", "1"],
  ["{{user `name` -}} x", "Webx"],
  ["x {{- 1 }} {{- 2 -}} y", "x12y"],
  ["a {{/* c */}} b {{- /* d */ -}} c", "a  bc"],
  ['{{"\\u00e9\\x41\\n\\\\\\t\\""}}', 'éA\n\\\t"'],
  ["{{`{{`}}.Names{{`}}`}}", "{{.Names}}"],
  ["{{\n  user `name`\n}}", "Web"],
];

for (const [source, rendered] of EXPRESSIONS) {
  test(`compileTemplate() evaluates ${JSON.stringify(source)} as Packer does`, () => {
    assert.equal(render(source), rendered);
  });
}

const MISTAKES: readonly (readonly [source: string, error: string])[] = [
  ["a {{", '2: Unclosed "{{" | To write "{{" as plain text, write {{`{{`}}'],
  ["{{upper", '0: Unclosed "{{" | To write "{{" as plain text, write {{`{{`}}'],
  ["{{}}", '0: Nothing between "{{" and "}}"'],
  ["{{/* x", "0: Unclosed comment"],
  ["{{/* x */ 1}}", "0: A comment must stand alone between its braces"],
  ['{{upper "a}}', "8: Unclosed string"],
  ["{{upper `a}}", "8: Unclosed string"],
  ["{{'ab'}}", "2: Single quotes hold one character; write a string in double quotes"],
  ['{{"\\q"}}', '3: Unknown escape "\\q" in a string'],
  ['{{"\\xff"}}', '3: The escape "\\xff" is not a character | Write the character itself or \\u'],
  ["{{upper 1}}", '8: Argument 1 of "upper" must be a string, not 1'],
  ['{{split "a" "b" "c"}}', '16: Argument 3 of "split" must be a whole number, not "c"'],
  ["{{upper}}", '2: The template function "upper" takes 1 argument, not 0 | Write for example {{user `name` | upper}}'],
  [
    "{{isotime `a` `b`}}",
    '2: The template function "isotime" takes 0 or 1 argument, not 2 | Write for example {{isotime `2006-01-02`}}',
  ],
  ['{{split "a-b" "-" 5}}', '2: "split" cannot give part 5 of 2 parts | The first part is number 0'],
  ["{{user `nope`}}", '2: Unknown user variable "nope"'],
  ["{{uppr `a`}}", '2: Unknown template function "uppr" | Did you mean "upper"?'],
  [
    "{{env `HOME`}}",
    '2: The template function "env" works only in "variables": declare a variable with it, and use that with "user"',
  ],
  ["{{printf `%d` 1}}", '2: The template function "printf" is not supported yet'],
  ["{{clean_ami_name `a`}}", '2: The template function "clean_ami_name" is now called "clean_resource_name"'],
  ["a{{if .Device}}b{{end}}", '3: "if" in a template expression is not supported yet'],
  ["{{$x := 1}}", '2: A variable ("$x") in a template expression is not supported yet'],
  ["{{.}}", '2: A bare "." in a template expression is not supported yet'],
  ['{{"a" "b"}}', '2: "a" is not a function and takes no arguments'],
  ['{{"a" | "b"}}', '8: Cannot pipe into "b"'],
  ["{{upper `a`)}}", '11: Unexpected ")"'],
  ["{{(upper `a`}}", '2: Unclosed "("'],
  ["{{upper `a` |}}", "13: A value is missing"],
  ["{{nil}}", '2: "nil" is not a value that can be written'],
  ["{{upper# }}", '7: Unexpected "#" after "upper"'],
  ["{{#}}", '2: Unexpected "#" | To write "{{" as plain text, write {{`{{`}}'],
  [
    "{{.Devcie}}",
    '2: Unknown build variable ".Devcie": here there are ".Device", ".SourceAMI", ".SourceAMITags" | Did you mean ".Device"?',
  ],
  ["{{.Device.X}}", '2: ".Device.X" does not exist: ".Device" is text'],
  [
    "{{build `SourceAIM`}}",
    '8: Unknown build variable "SourceAIM": here there are "Device", "SourceAMI" | Did you mean "SourceAMI"?',
  ],
  ["{{build .Device}}", '2: "build" takes one name | Write for example {{build `SourceAMI`}}'],
];

for (const [source, error] of MISTAKES) {
  test(`compileTemplate() explains what is wrong with ${JSON.stringify(source)}`, () => {
    assert.deepEqual(errors(source), [error]);
  });
}

test("compileTemplate() tells every wrong expression of a string", () => {
  assert.deepEqual(errors("{{.X}} {{user `y`}}").length, 2);
});

test("compileTemplate() keeps what needs build variables for later", () => {
  const compiled = compileTemplate("{{.SourceAMI | upper}} {{build `Device`}} {{user `name`}}", SCOPE);
  assert.ok("text" in compiled);
  assert.deepEqual(compiled.text.needs, ["Device", "SourceAMI"]);
  assert.equal(compiled.text.render({ Device: "xvdf", SourceAMI: "ami-1" }), "AMI-1 xvdf Web");
  assert.throws(
    () => compiled.text.render({ Device: "xvdf" }),
    (error: unknown) => {
      assert.ok(error instanceof ToolError);
      assert.equal(error.code, "ERR_TEMPLATE_RENDER");
      assert.match(error.message, /the build variable "SourceAMI" has no value$/);
      return true;
    },
  );
});

test("a Deferred names a function that refuses what the build gives it", () => {
  const compiled = compileTemplate("{{split .SourceAMI `-` 3}}", SCOPE);
  assert.ok("text" in compiled);
  assert.throws(() => compiled.text.render({ SourceAMI: "ami-1" }), {
    code: "ERR_TEMPLATE_RENDER",
    message: 'Cannot render "{{split .SourceAMI `-` 3}}": "split" cannot give part 3 of 2 parts',
  });
});

test("compileTemplate() reads tags of the source image, one or all", () => {
  const variables = { "SourceAMITags.Name": "base", "SourceAMITags.App": "web" };
  assert.equal(render("{{.SourceAMITags.Name}}", variables), "base");
  assert.equal(render("{{.SourceAMITags}}", variables), "map[App:web Name:base]");
  assert.equal(render("{{.SourceAMITags.Owner}}", variables), "<no value>");
});

test("compileTemplate() evaluates fields that are known already", () => {
  const compiled = compileTemplate("{{.Device}}", { ...SCOPE, known: { Device: "xvdf" } });
  assert.ok("text" in compiled);
  assert.deepEqual(compiled.text.needs, []);
  assert.equal(compiled.text.render({}), "xvdf");
});

test("compileTemplate() names the functions of provisioners where there is no build", () => {
  assert.deepEqual(errors("{{build `SourceAMI`}}", { ...SCOPE, hasBuildFunction: false }), [
    '2: The template function "build" works only in the text of provisioners',
  ]);
  assert.deepEqual(errors("{{.Device}}", { ...SCOPE, fields: new Set() }), [
    '2: No build variable such as ".Device" exists here | To write "{{" as plain text, write {{`{{`}}',
  ]);
});

test("uuid gives another value each time, and later ones sort later", () => {
  const uuid = render("{{uuid}}");
  assert.match(uuid, /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.notEqual(render("{{uuid}}"), uuid);
  assert.equal(Math.abs(Number.parseInt(uuid.slice(0, 8), 16) - Date.now() / 1000) < 60, true);
});

test("clean_resource_name replaces each byte that an image's name cannot have", () => {
  assert.equal(render("{{clean_resource_name `a b:c/(d)[e]_.-'@é#`}}"), "a b-c/(d)[e]_.-'@---");
});
