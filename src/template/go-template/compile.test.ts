import assert from "node:assert/strict";
import { test } from "node:test";
import { ToolError } from "../../base/errors.ts";
import type { TemplateScope } from "./bind.ts";
import { compileTemplate } from "./compile.ts";
import { ABSENT_FUNCTIONS, createFunctions } from "./functions.ts";
import { TemplateFunctionError } from "./template-function.ts";

const USER_VARIABLES: Readonly<Record<string, string>> = {
  name: "Web",
  device: "<{{.Device}}>",
  wrong: "{{.Devcie}} {{upper 1}}",
  inner: "{{user `wrong`}}",
  braces: "{{ and }",
  itself: "{{user `itself`}}",
  ping: "{{user `pong`}}",
  pong: "{{user `ping`}}",
  counted: "{{$x := `inner`}}{{$x}}{{.SourceAMI}}",
  many40: "x",
  ...Object.fromEntries([...Array(40).keys()].map((n) => [`many${n}`, `{{user \`many${n + 1}\`}}`.repeat(2)])),
};

const FUNCTIONS = createFunctions({
  startTime: new Date("2026-11-23T09:22:15.137Z"),
  workingDirectory: "/work",
  templateDirectory: "/templates",
  toolVersion: "1.2.3",
  userVariable(name) {
    const value = USER_VARIABLES[name];
    if (value !== undefined) return value;
    throw new TemplateFunctionError(`Unknown user variable "${name}"`);
  },
});

const SCOPE: TemplateScope = {
  functions: FUNCTIONS,
  absentFunctions: ABSENT_FUNCTIONS,
  fields: new Set(["Device", "SourceAMI", "SourceAMITags"]),
  hasBuildFunction: true,
  known: {},
  evaluatesResults: true,
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
  ["{{user name}}", '7: Unknown template function "name" | If it is a text, write it in backquotes: `name`'],
  ["{{uppr `a`}}", '2: Unknown template function "uppr" | Did you mean "upper"?'],
  [
    "{{env `HOME`}}",
    '2: The template function "env" works only in "variables": declare a variable with it, and use that with "user"',
  ],
  ["{{clean_ami_name `a`}}", '2: The template function "clean_ami_name" is now called "clean_resource_name"'],
  ["a{{if .Device}}b", '1: The "end" of "if" is missing'],
  ["{{end}}", '0: "end" stands alone'],
  ["{{if}}a{{end}}", '0: "if" needs a value'],
  ["{{if 1}}a{{else}}b{{else}}c{{end}}", '18: Another "else" of one "if"'],
  ["{{else}}", '0: "else" stands alone'],
  ["{{break}}", '0: "break" stands outside of "range"'],
  ["{{range 2}}{{block `x` .}}{{break}}{{end}}{{end}}", '26: "break" stands outside of "range"'],
  ["{{if 1}}{{define `x`}}{{end}}{{end}}", '8: "define" stands inside of something'],
  ["{{define `x`}}a{{end}}{{define `x`}}b{{end}}", '22: The template "x" is defined twice'],
  ["{{define `x`}}a{{end}}{{template `y`}}", '22: Unknown template "y" | Did you mean "x"?'],
  ["{{template x}}", '11: The name of a template is a string, not "x"'],
  ["{{$x}}", '2: Unknown variable "$x" | Declare it before: {{$x := …}}'],
  ["{{$name := 1}}{{$nmae}}", '16: Unknown variable "$nmae" | Did you mean "$name"?'],
  ["{{if $x := 1}}{{end}}{{$x = 2}}", '23: Unknown variable "$x" | Declare it before: {{$x := …}}'],
  ["{{$x, $y := 1}}", '4: Unexpected ","'],
  ["{{$x := 1 | nope}}{{$x}}", '12: Unknown template function "nope" | To write "{{" as plain text, write {{`{{`}}'],
  [
    "{{.}}",
    '2: All build variables together are no value here: name one of ".Device", ".SourceAMI", ".SourceAMITags" | To write "{{" as plain text, write {{`{{`}}',
  ],
  ["{{printf`a`}}", '8: Unexpected "`" after "printf"'],
  ["{{printf `a``b`}}", '12: A blank is missing before "b"'],
  ["{{range `abc`}}{{end}}", '8: "range" goes over a map or a whole number, not "abc"'],
  [
    "{{range 9999999999}}{{end}}",
    "0: The expressions of the template give more than 67108864 characters | Look for a variable that is used many times, or for a replacement of many characters",
  ],
  ["{{define `x`}}{{template `x`}}{{end}}{{template `x`}}", "14: Templates run each other more than 100 deep"],
  ["{{eq 1 `a`}}", "2: Cannot compare int with string"],
  ["{{lt true false}}", "2: bool and bool have no order | Texts, whole numbers and fractions have one"],
  ["{{index `abc` 3}}", "2: The index 3 is out of range: it goes from 0 to 2"],
  ["{{slice `é` 1}}", "2: Cannot slice from 1 to 2: it would cut a character in two"],
  ["{{1i}}", "2: The number 1i is imaginary"],
  ["{{9223372036854775808}}", "2: The number 9223372036854775808 does not fit into 64 bits"],
  ['{{"a" "b"}}', '2: "a" is not a function and takes no arguments'],
  ['{{"a" | "b"}}', '8: Cannot pipe into "b"'],
  ["{{upper `a`)}}", '11: Unexpected ")"'],
  ["{{(upper `a`}}", '2: Unclosed "("'],
  ["{{upper `a` |}}", "13: A value is missing"],
  ["{{nil}}", '2: "nil" stands only among the arguments of a function'],
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
  [
    "{{build `ID`}}",
    '8: The build variable "ID" has no value here: no instance is launched | There are "Device", "SourceAMI"',
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

// With Device xvdf, SourceAMI ami-1 and two tags. Each waits for what it names, and nothing else.
const DEFERRED: readonly (readonly [source: string, rendered: string, needs: readonly string[]])[] = [
  ["{{if eq .SourceAMI `ami-1`}}a{{else}}{{.Device}}{{end}}", "a", ["Device", "SourceAMI"]],
  ["{{if true}}{{.Device}}{{end}} {{user `name`}}", "xvdf Web", ["Device"]],
  ["{{with .Device}}{{.}}{{$.SourceAMI}}{{end}}", "xvdfami-1", ["Device", "SourceAMI"]],
  ["{{with .}}{{.Device}}{{end}}{{with $d := .}}{{$d.Device}}{{end}}", "xvdfxvdf", ["Device"]],
  ["{{$d := .Device}}{{$n := user `name`}}{{$d}}-{{$n}}{{$n = `x`}}{{$n}}", "xvdf-Webx", ["Device"]],
  ["{{$x := 1}}{{if .Device}}{{$x = 2}}{{end}}{{$x}}{{$y := $x}}{{printf `%03d` $y}}", "2002", ["Device"]],
  ["{{$x := 1}}{{$x = .Device}}{{$x}}{{$x = 5}}{{$x}}{{$x := 6}}{{$x}}", "xvdf56", ["Device"]],
  ["{{range $k, $v := .SourceAMITags}}{{$k}}={{$v}};{{end}}", "App=web;Name=base;", ["SourceAMITags"]],
  ["{{range .SourceAMITags}}{{.}}{{break}}{{end}}", "web", ["SourceAMITags"]],
  ["{{range $i := 2}}{{$i}}{{build `Device`}}{{end}}", "0xvdf1xvdf", ["Device"]],
  [
    "{{len .SourceAMITags}} {{index .SourceAMITags `Name`}}[{{index .SourceAMITags `x`}}]",
    "2 base[]",
    ["SourceAMITags"],
  ],
  ["{{or .SourceAMITags.Owner `nobody`}} {{if not .SourceAMITags.Owner}}none{{end}}", "nobody none", ["SourceAMITags"]],
  ["{{define `d`}}{{.Device}}{{end}}{{template `d` .}}{{template `d` $}}", "xvdfxvdf", ["Device"]],
  ["{{define `d`}}[{{.}}]{{end}}{{template `d` .Device}}{{template `d` 1}}", "[xvdf][1]", ["Device"]],
  [
    "{{define `a`}}{{template `b` .}}{{end}}{{define `b`}}{{.SourceAMI}}{{end}}{{template `a` .}}",
    "ami-1",
    ["SourceAMI"],
  ],
  ["{{block `d` .Device}}<{{.}}>{{end}}", "<xvdf>", ["Device"]],
  ["{{define `unused`}}{{.Nonsense}}{{end}}{{.Device}}", "xvdf", ["Device"]],
  ["{{(.Device)}}{{print (.Device) 1}}{{.Device | printf `%5s|`}}", "xvdfxvdf1 xvdf|", ["Device"]],
  ["{{build (printf `Dev%s` `ice`)}}{{`SourceAMI` | build}}", "xvdfami-1", ["Device", "SourceAMI"]],
  ["{{if false}}{{user `nope`}}{{end}}{{.Device}}", "xvdf", ["Device"]],
  // What an expression gives is evaluated, too.
  ["{{user `device`}} {{user `name`}}", "<xvdf> Web", ["Device"]],
  ["{{if true}}{{user `device` | print}}{{end}}", "<xvdf>", ["Device"]],
  ["{{if .SourceAMI}}{{user `device`}}{{end}}", "<xvdf>", ["SourceAMI"]],
  ['{{"{{`{{.Device}}`}}"}}', "xvdf", ["Device"]],
  ["{{$x := .Device}}{{user `counted`}}{{$x}}", "innerami-1xvdf", ["Device", "SourceAMI"]],
  ["{{user `braces`}} {{user `itself`}} {{.Device}}", "{{ and } {{user `itself`}} xvdf", ["Device"]],
  // But for values of build variables.
  ["{{.SourceAMITags.Braces}} {{print .SourceAMITags.Braces}}", "{{.Device}} {{.Device}}", ["SourceAMITags"]],
];

for (const [source, rendered, needs] of DEFERRED) {
  test(`compileTemplate() defers ${JSON.stringify(source)}`, () => {
    const compiled = compileTemplate(source, SCOPE);
    assert.ok(
      "text" in compiled,
      JSON.stringify("errors" in compiled && compiled.errors.map(({ message }) => message)),
    );
    assert.deepEqual(compiled.text.needs, needs);
    const tags = { "SourceAMITags.Name": "base", "SourceAMITags.App": "web" };
    const braces = source.includes("Braces") ? { "SourceAMITags.Braces": "{{.Device}}" } : {};
    const variables = { Device: "xvdf", SourceAMI: "ami-1", ...tags, ...braces };
    assert.equal(compiled.text.render(variables), rendered);
    // Nothing of one rendering is left in the next.
    assert.equal(compiled.text.render(variables), rendered);
  });
}

test("compileTemplate() tells what is wrong in a text that waits, before anything is built", () => {
  assert.deepEqual(errors("{{if .Device}}{{user `nope`}}{{else}}{{.Devcie}}{{end}}{{split `a` `-` 7}}"), [
    '39: Unknown build variable ".Devcie": here there are ".Device", ".SourceAMI", ".SourceAMITags" | Did you mean ".Device"?',
    '57: "split" cannot give part 7 of 1 part | The first part is number 0',
  ]);
  assert.deepEqual(errors("{{if .Device}}{{user `nope`}}{{end}}"), ['16: Unknown user variable "nope"']);
  assert.deepEqual(errors("{{define `d`}}{{.X}}{{end}}{{template `d` .}}"), [
    '16: Unknown build variable ".X": here there are ".Device", ".SourceAMI", ".SourceAMITags" | To write "{{" as plain text, write {{`{{`}}',
  ]);
});

test("compileTemplate() tells what is wrong in what an expression gives, at that expression", () => {
  const wrong = [
    'What this gives is evaluated, too: Unknown build variable ".Devcie": here there are ".Device", ".SourceAMI", ".SourceAMITags" | Did you mean ".Device"?',
    'What this gives is evaluated, too: Argument 1 of "upper" must be a string, not 1',
  ];
  assert.deepEqual(
    errors("a {{user `wrong`}}"),
    wrong.map((error) => `4: ${error}`),
  );
  assert.deepEqual(
    errors("{{user `inner`}}"),
    wrong.map((error) => `2: ${error}`),
  );
  assert.deepEqual(errors('{{"{{foo}}"}}'), [
    '2: What this gives is evaluated, too: Unknown template function "foo" | To have "{{" as plain text, write {{`{{`}} here, not in what this gives',
  ]);
  assert.deepEqual(errors("{{user `ping`}}"), [
    "2: What this gives is evaluated, too: Expressions give expressions more than 100 deep",
  ]);
});

test("compileTemplate() ends what would give text for ever", () => {
  const [error] = errors("{{user `many0`}}");
  assert.match(error ?? "", /The expressions of the template give more than 67108864 characters/);
});

test("compileTemplate() leaves the fields of a user variable's value, and what its expressions give", () => {
  const scope = { ...SCOPE, fields: new Set<string>(), leavesFields: true, evaluatesResults: false };
  const compiled = compileTemplate("{{.Device}} {{ .X | nope }} {{user `device`}} {{`{{.Y}}`}} {{user `name`}}", scope);
  assert.ok("text" in compiled);
  assert.equal(compiled.text.render({}), "{{.Device}} {{ .X | nope }} <{{.Device}}> {{.Y}} Web");
  assert.deepEqual(errors("{{- .Device}}", scope), [
    '4: No build variable such as ".Device" exists here | Write it as {{.Device}}, which is evaluated where the variable is used',
  ]);
});

test("a Deferred names a value that cannot be used", () => {
  const compiled = compileTemplate("{{upper .SourceAMITags.Owner}}", SCOPE);
  assert.ok("text" in compiled);
  assert.throws(() => compiled.text.render({}), {
    code: "ERR_TEMPLATE_RENDER",
    message: 'Cannot render "{{upper .SourceAMITags.Owner}}": Argument 1 of "upper" must be a string, not nil',
  });
});

test("uuid is the same in each rendering of a text, but not in each turn of a loop", () => {
  const compiled = compileTemplate("{{printf `%s %s` uuid .Device}}", SCOPE);
  assert.ok("text" in compiled);
  assert.equal(compiled.text.render({ Device: "a" }), compiled.text.render({ Device: "a" }));
  const [first, second] = render("{{range 2}}{{uuid}} {{end}}").split(" ");
  assert.notEqual(first, second);
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
