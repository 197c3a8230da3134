// Packer's own engine, Go's text/template, is the judge of ours: the same text, or both refuse.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { runToExit } from "../../src/linux/run-command.ts";
import { compileTemplate } from "../../src/template/go-template/compile.ts";
import { ABSENT_FUNCTIONS, createFunctions } from "../../src/template/go-template/functions.ts";
import { TemplateFunctionError } from "../../src/template/go-template/template-function.ts";

// Not among them: results with braces, since Packer's console evaluates its result once more, and line ends, since
// it reads lines.
const SNIPPETS: readonly string[] = [
  // Literals
  "{{1}} {{-1}} {{+1}} {{0x1F}} {{0b11}} {{0o17}} {{017}} {{1_000}} {{0x_1F}} {{1_000.5}}",
  "{{1.5}} {{1e3}} {{1e6}} {{1e20}} {{1e21}} {{1e-7}} {{0.1}} {{123456789.0}} {{.5}} {{1.}} {{0x1p-2}} {{-0.0}}",
  "{{'a'}} {{'é'}} {{'\\n'}} {{'\\''}} {{'\\x41'}} {{'\\u00e9'}}",
  '{{"a\\tb\\"c\\\\"}} {{"\\u00e9\\U0001F600\\x41\\101"}} {{`a\\tb`}} {{true}} {{false}}',
  "{{9223372036854775807}} {{-9223372036854775808}} {{18446744073709551615}}",
  "{{9223372036854775808}}",
  "{{1__0}}",
  "{{1_}}",
  "{{08}}",
  "{{0x}}",
  "{{1e400}}",
  "{{1i}}x{{end}}",
  "{{1a}}",
  "{{'ab'}}",
  "{{''}}",
  '{{"\\q"}}',
  '{{"a',
  "{{`a",
  "{{nil}}",
  "{{nil | print}}",
  // Blanks, comments and trim markers
  "a {{- 1 -}} b {{- 2}} c",
  "a{{/* x */}}b{{- /* y */ -}} c",
  "{{/* x */ }}",
  "{{ /* x */}}",
  "{{/* x */  -}}",
  "{{-1}} {{- -1}}",
  "{{- `a` -}} {{- `b` -}}",
  "{{}}",
  "{{ }}",
  "{{",
  "a }} b",
  'x{{printf"%d" 1}}',
  'x{{printf "%d""a"}}',
  "x{{upper`a`}}",
  "x{{upper(`a`)}}",
  "{{(1)}}{{((`a`))}}{{( `a`|upper )}}",
  "x{{(1}}",
  "x{{1)}}",
  "x{{1 2}}",
  "x{{`a` `b`}}",
  "x{{| 1}}",
  "x{{1 | 2}}",
  "x{{1 | `a`}}",
  "{{1|print|printf `%s`}}",
  "x{{#}}",
  "x{{a.b}}",
  "x{{1.a}}",
  "x{{(1).X}}",
  "x{{`a`.X}}",
  "x{{nope}}",
  "x{{nope `a`}}",
  "x{{if false}}{{nope}}{{end}}",
  "{{if false}}{{user `nope`}}{{end}}y",
  "{{.}} {{print .}} {{if .}}a{{else}}b{{end}} {{$}} {{print $}}",
  "{{with .}}a{{else}}b{{end}}",
  // Variables
  "{{$x := 1}}{{$x}}{{$x = `b`}}{{$x}}",
  "{{$x:=1}}{{$x}}",
  "{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}",
  "{{$x := 1}}{{if true}}{{$x := 2}}{{$x}}{{end}}{{$x}}",
  "{{$x := 1}}{{$x := 2}}{{$x}}",
  "{{$é := 1}}{{$é}}",
  "x{{$x}}",
  "x{{$x = 1}}",
  "x{{if $x := 1}}{{$x}}{{end}}{{$x}}",
  "{{if $x := 1}}{{$x}}{{else}}{{$x}}{{end}}",
  "{{if $x := 0}}a{{else}}{{$x}}{{end}}",
  "{{with $x := `v`}}{{$x}}{{.}}{{end}}",
  "x{{$x, $y := 1}}",
  "{{$x := `a` | upper}}{{$x}}",
  "{{($y := 1)}}{{$y}}",
  "x{{$x := 1}}{{$x.Y}}",
  "x{{$x=1}}",
  "x{{$x :=}}",
  "x{{$ := 1}}{{$}}",
  "x{{1x := 2}}",
  // Control structures
  "{{if true}}a{{else}}b{{end}}{{if false}}a{{else}}b{{end}}",
  "{{if 0}}a{{else if ``}}b{{else if 1}}c{{else}}d{{end}}",
  "{{if 0.0}}a{{end}}{{if 0.1}}b{{end}}{{if `x`}}c{{end}}{{if ``}}d{{end}}{{if 'a'}}e{{end}}",
  "{{with `v`}}{{.}}{{end}}{{with ``}}a{{else}}b{{end}}{{with 1}}{{with 2}}{{.}}{{end}}{{.}}{{end}}",
  "x{{with 1}}{{.X}}{{end}}",
  "x{{with `a`}}{{.X}}{{end}}",
  "x{{if}}a{{end}}",
  "x{{if true}}a",
  "x{{end}}",
  "x{{else}}",
  "x{{if 1}}a{{else}}b{{else}}c{{end}}",
  "x{{if 1}}a{{else if}}b{{end}}",
  "x{{end 1}}",
  "x{{if 1 2}}a{{end}}",
  "x{{range `abc`}}{{.}}{{end}}",
  "x{{range true}}{{.}}{{end}}",
  "x{{range 1.5}}{{.}}{{end}}",
  "x{{range}}{{end}}",
  "{{range .}}a{{else}}b{{end}}",
  "{{range $i, $e := .}}a{{else}}b{{end}}",
  "x{{break}}",
  "x{{continue}}",
  "{{range .}}{{break}}{{end}}y",
  "{{range .}}{{if true}}{{continue}}{{end}}{{end}}y",
  "x{{range .}}{{break 1}}{{end}}",
  "x{{range $a, $b, $c := .}}{{end}}",
  // Templates
  "{{define `t1`}}[{{.}}]{{end}}{{template `t1` 5}}{{template `t1` `x`}}{{template `t1`}}",
  "{{define `t2`}}{{$}}{{end}}{{template `t2` 7}}",
  "{{template `t3` 8}}{{define `t3`}}({{.}}){{end}}",
  "{{block `t4` 9}}<{{.}}>{{end}}{{template `t4` 3}}",
  "{{define `t5`}}{{template `t6` .}}{{end}}{{define `t6`}}{{. | printf `%03d`}}{{end}}{{template `t5` 4}}",
  "{{define `t7`}}a{{end}}{{define `t8`}}{{if .}}y{{else}}n{{end}}{{end}}{{template `t8` 0}}{{template `t8` 1}}",
  "x{{template `none`}}",
  "x{{define `d`}}a{{end}}{{define `d`}}b{{end}}",
  "x{{define `d`}}{{$x}}{{end}}",
  "x{{$x := 1}}{{define `d`}}{{$x}}{{end}}",
  "x{{define `d`}}a",
  "x{{define d}}a{{end}}",
  "x{{if 1}}{{define `d`}}a{{end}}{{end}}",
  "x{{template d}}",
  "x{{block `d`}}a{{end}}",
  // Comparison
  "{{eq 1 1}}{{eq 1 2 1}}{{eq `a` `a`}}{{eq 1.5 1.5}}{{eq true true}}{{eq 'a' 97}}{{ne 1 2}}{{ne `a` `a`}}",
  "{{lt 1 2}}{{le 2 2}}{{gt `b` `a`}}{{ge 1.5 2.5}}{{lt `a` `B`}}{{lt `Z` `é`}}{{gt -1 -2}}",
  "{{eq nil 1}} {{eq nil nil}} {{ne nil `a`}}",
  "x{{eq 1 1.0}}",
  "x{{eq 1 `1`}}",
  "x{{eq 1}}",
  "x{{eq}}",
  "x{{ne 1 2 3}}",
  "x{{lt 1 1.5}}",
  "x{{lt true false}}",
  "x{{lt 1}}",
  "{{and 1 0 2}} {{and 1 2}} {{or 0 `` `x`}} {{or 0 ``}}| {{not 0}} {{not `a`}} {{and true}} {{or false}}",
  "{{and false (user `nope`)}} {{or 1 (user `nope`)}}",
  "x{{and}}",
  "x{{not}}",
  "x{{not 1 2}}",
  // Lengths and places
  "{{len `aé`}} {{len ``}} {{index `aé` 0}} {{index `aé` 1}} {{slice `hello` 1 3}} {{slice `hello` 2}} {{slice `hello`}}",
  "{{slice `hello` 5}}|{{slice `hello` 1 1}}| {{index `a`}}",
  "x{{len 1}}",
  "x{{len nil}}",
  "x{{index `a` 1}}",
  "x{{index `a` -1}}",
  "x{{index `a` `b`}}",
  "x{{index 1 0}}",
  "x{{slice `abc` 2 1}}",
  "x{{slice `abc` 4}}",
  "x{{slice `abc` 0 1 2}}",
  "x{{slice 1 0}}",
  "x{{index nil 0}}",
  "x{{call 1}}",
  "x{{call `upper` `a`}}",
  "x{{call nil}}",
  // Printing
  "{{print 1 2}} {{print `a` `b`}} {{print 1 `a` 2}} {{print 1 2 `a` 3 4}} {{print nil}} {{print}}| {{print true 1.5}}",
  "{{html `<a href=\"x\">&'</a>`}} {{urlquery `a b&c=d/é~!*()'`}} {{html 1 2}} {{urlquery 1 `a b`}} {{html}}|",
  '{{js `it\'s <a> & "b" = c\\d é`}} {{js "\\x01\\t\\u2028"}} {{js 1 2}}',
  // printf: each verb with each kind of value
  ...["v", "#v", "+v", "s", "q", "+q", "#q", "x", "X", "# x", "d", "t", "T", "c", "U", "e", "p", "z"].map(
    (verb) => `{{printf "[%${verb}]" "aé\\t"}}`,
  ),
  ...["v", "#v", "+v", "d", "+d", "b", "o", "O", "x", "X", "#x", "#o", "#b", "#O", "c", "q", "U", "#U"].map(
    (verb) => `{{printf "[%${verb}] [%${verb}] [%${verb}]" 42 -255 0}}`,
  ),
  ...["s", "t", "e", "f", "T", "p", "w", "5z", "+t", "#t"].map((verb) => `{{printf "[%${verb}]" 42}}`),
  ...["v", "#v", "e", "E", "f", "F", "g", "G", "b", "x", "X", "#g", "#e", "#.3g", "+f", " f", "T", "d", "s"].map(
    (verb) => `{{printf "[%${verb}] [%${verb}] [%${verb}] [%${verb}]" 3.14159 -1e21 0.0 1e-7}}`,
  ),
  ...[".0f", ".1f", ".2f", ".3e", ".0e", ".3g", ".0g", ".10g", "8.2f", "-8.2f", "08.2f", "+08.2f", ".3x", ".0x"].map(
    (verb) => `{{printf "[%${verb}] [%${verb}] [%${verb}] [%${verb}] [%${verb}]" 2.5 0.5 1.45 -99.995 123456789.0}}`,
  ),
  ...["t", "v", "5t", "-7t", "d", "s", "T", "q"].map((verb) => `{{printf "[%${verb}] [%${verb}]" true false}}`),
  ...["v", "s", "d", "T", "5v", "q", "x"].map((verb) => `{{printf "[%${verb}]" nil}}`),
  ...["5s", "-5s", "05s", ".2s", "5.1s", "-5.1s|", "8q", ".1q", "10x", ".1x", "-010x", "3c", "-3c", "03c"].map(
    (verb) => `{{printf "[%${verb}] [%${verb}]" "éab" 233}}`,
  ),
  ...["5d", "-5d", "05d", "+5d", "+05d", " d", " 5d", ".5d", "8.5d", "-8.5d", "08.5d", ".0d", "5.0d", "-05d"].map(
    (verb) => `{{printf "[%${verb}] [%${verb}] [%${verb}]" 42 -42 0}}`,
  ),
  ...["#10x", "#-10x", "#010x", "10U", "-10U", "#10U", ".6U", "010b", "+q", "#q", "5q", "x"].map(
    (verb) => `{{printf "[%${verb}] [%${verb}]" 8364 128512}}`,
  ),
  '{{printf "%d %s"}}',
  '{{printf "%d"}} {{printf "%!"}} {{printf "%"}} {{printf "100%"}} {{printf "%%|%5%|%-5%|"}}',
  '{{printf "a" 1 "b" nil 1.5}} {{printf "%d" 1 2}}',
  '{{printf "%d" "x"}} {{printf "%5d" "x"}} {{printf "%s" 1}} {{printf "%-8s|" 1}}',
  '{{printf "%[2]d %[1]d" 1 2}} {{printf "%[2]d" 1 2}} {{printf "%[3]d" 1 2}} {{printf "%[0]d" 1}} {{printf "%[x]d" 1}}',
  '{{printf "%[1]d %d" 1 2}} {{printf "%[2]*[1]d" 1 5}} {{printf "%[1" 1}} {{printf "%[]d" 1}} {{printf "%[1]5d" 1}}',
  '{{printf "%*d" 5 42}} {{printf "%-*d|" 5 42}} {{printf "%*d|" -5 42}} {{printf "%.*f" 2 3.14159}}',
  '{{printf "%*d" "x" 42}} {{printf "%.*d" "x" 42}} {{printf "%.*f" -2 3.14159}} {{printf "%*d"}} {{printf "%*d" 9999999 1}}',
  '{{printf "%99999999d" 1}} {{printf "%.99999999d" 1}} {{printf "%1000d" 1}}',
  '{{printf "%[1]*.[2]*[3]f|" 8 2 3.14159}} {{printf "%6.2f%%" 12.3456}}',
  '{{printf "%é" 1}} {{printf "%s" "é" | printf "%x"}} {{1 | printf "%d-%d" 2}}',
  "x{{printf}}",
  "x{{printf 1}}",
  "x{{printf nil}}",
  // Functions of Packer
  "{{upper `aé`}} {{lower `AÉ`}} {{split `a-b-c` `-` 1}} {{split `abc` `` 1}} {{split `a` `-` 0}} {{split `a-b` `-` 1.0}}",
  "x{{split `a-b` `-` 5}}",
  "x{{split `a-b` `-` 1.5}}",
  "x{{split `a-b` `-` `1`}}",
  "x{{split `a-b` `-` (1.0)}}",
  "x{{split `a-b` `-`}}",
  "{{replace `a` `b` 1 `aaa`}} {{replace `a` `b` -1 `aaa`}} {{replace `` `-` 2 `ab`}} {{replace `a` `` 0 `aaa`}}",
  "{{replace_all `a` `b` `aaa`}} {{`x` | replace_all `x` `y`}} {{replace_all `` `.` `aé`}}",
  "x{{upper 1}}",
  "x{{upper}}",
  "x{{upper `a` `b`}}",
  "x{{upper nil}}",
  "x{{1 | upper}}",
  "x{{user}}",
  "{{user `a`}}{{`a` | user | upper}}{{user (lower `A`)}}",
  "x{{env `HOME`}}",
  "x{{sed `s/a/b/` `a`}}",
  "x{{consul_key}}",
  "x{{vault `a`}}",
  "{{if eq (user `a`) `x`}}yes{{else}}no{{end}}",
  "{{$n := user `a`}}{{if and (eq $n `x`) (gt (len $n) 0)}}{{printf `%s-%03d` $n 7}}{{end}}",
];

/** What we do as a later Go, which Packer is built with today, or more strictly. */
const DIFFERENCES: readonly (readonly [snippet: string, rendered: string, reason: string])[] = [
  ["{{range 3}}{{.}},{{end}}", "0,1,2,", "Go 1.22"],
  ["{{range $i := 2}}{{$i}}{{else}}none{{end}}", "01", "Go 1.22"],
  ["{{range 5}}{{if eq . 1}}{{continue}}{{end}}{{if eq . 3}}{{break}}{{end}}{{.}}{{end}}", "02", "Go 1.22"],
  ["{{range 0}}a{{else}}b{{end}}", "b", "Go 1.22"],
  ["{{with 0}}a{{else with 1}}{{.}}{{end}}", "1", "Go 1.23"],
];

/** What we refuse and Packer 1.6.6 does not. */
const REFUSED_HERE: readonly (readonly [snippet: string, reason: string])[] = [
  ["x{{1 |}}", "so does Go since 1.20"],
  ["x{{user `nope`}}", "Packer gives an empty text for a variable that nobody declared: mostly a typing error"],
  ["x{{and true (user `nope`)}}", "the same"],
];

const USER_VARIABLES: Readonly<Record<string, string>> = { a: "x" };

test("template strings mean what they mean to Packer, or both refuse them", async (context) => {
  const packer = await startPacker(context);
  if (packer === undefined) return;
  const accepted = SNIPPETS.filter((snippet) => "text" in ours(snippet));
  const refused = SNIPPETS.filter((snippet) => !accepted.includes(snippet));
  assert.ok(accepted.length > 60 && refused.length > 60, `${accepted.length} work, ${refused.length} do not`);

  const expected = accepted.map(render);
  const answer = await packer([accepted.join(SEPARATOR)]);
  assert.deepEqual(answer.split(SEPARATOR), expected);
  assert.deepEqual(await answeredLines(refused, packer), []);
  await context.test("but for what is written here with its reason", async () => {
    for (const [snippet, rendered, reason] of DIFFERENCES) {
      assert.equal(render(snippet), rendered, reason);
    }
    const packerRefuses = DIFFERENCES.map(([snippet]) => snippet);
    assert.deepEqual(await answeredLines(packerRefuses, packer), []);
    for (const [snippet, reason] of REFUSED_HERE) {
      assert.ok("errors" in ours(snippet), reason);
      assert.ok(!(await packer([snippet])).includes(REFUSAL), snippet);
    }
  });
});

// Without blanks, which trim markers would take.
const SEPARATOR = "¦";
const REFUSAL = "Interpolation error";

type Packer = (lines: readonly string[]) => Promise<string>;

/** The lines that Packer does not refuse, in few runs if there are few. */
async function answeredLines(lines: readonly string[], packer: Packer): Promise<readonly string[]> {
  const answer = await packer(lines);
  if (answer.split(REFUSAL).length - 1 === lines.length) return [];
  if (lines.length === 1) return lines;
  const half = Math.ceil(lines.length / 2);
  return [...(await answeredLines(lines.slice(0, half), packer)), ...(await answeredLines(lines.slice(half), packer))];
}

function ours(source: string) {
  return compileTemplate(source, {
    functions: createFunctions({
      startTime: new Date(0),
      workingDirectory: "/",
      templateDirectory: "/",
      toolVersion: "",
      userVariable(name) {
        const value = USER_VARIABLES[name];
        if (value === undefined) throw new TemplateFunctionError(`Unknown user variable "${name}"`);
        return value;
      },
    }),
    absentFunctions: ABSENT_FUNCTIONS,
    fields: new Set(),
    hasBuildFunction: false,
    known: {},
  });
}

function render(source: string): string {
  const compiled = ours(source);
  if ("errors" in compiled) throw new Error(`${source}: ${compiled.errors[0]?.message}`);
  return compiled.text.render({});
}

/** Answers lines as `packer console` does: the answer to the last one, and all errors. */
async function startPacker(context: TestContext): Promise<Packer | undefined> {
  const directory = await mkdtemp(join(tmpdir(), "amibake-packer-"));
  context.after(() => rm(directory, { recursive: true, force: true }));
  const template = { variables: USER_VARIABLES, builders: [{ type: "null", communicator: "none" }] };
  await writeFile(join(directory, "template.json"), JSON.stringify(template));
  const ask: Packer = async (lines) => {
    const { stdout } = await runToExit(["packer", "console", "template.json"], {
      cwd: directory,
      input: lines.map((line) => `${line}\n`).join(""),
      env: { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: directory, CHECKPOINT_DISABLE: "1" },
    });
    return stdout.toString().trim();
  };
  try {
    await ask(["{{timestamp}}"]);
  } catch {
    context.skip("packer is not installed: apt-get install packer");
    return undefined;
  }
  return ask;
}
