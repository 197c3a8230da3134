// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are HCL2.

// What people, programs and attackers put into templates of HCL2.
import { createHclFunctions } from "../../../src/template/hcl2/functions/create-functions.ts";
import { FUNCTION_CONTEXT } from "../hcl-expressions.ts";
import { NASTY_STRINGS } from "./nasty-values.ts";

/** A right call of every function. */
const CALLS = [...createHclFunctions(FUNCTION_CONTEXT).values()].map(({ usage }) => usage);

const EXPRESSIONS: readonly string[] = [
  ...[
    "null",
    "true",
    "-1",
    "1.5",
    "1e999",
    "1e99999999",
    "-1e-99999",
    "9".repeat(400),
    "0x10",
    "012",
    "1/0",
    "0 % 0",
    "1e9 % 0.3",
  ],
  ...[
    "[]",
    "{}",
    "[[]]",
    "[null]",
    "{ a = {} }",
    '{ "" = 1 }',
    '{ "__proto__" = { polluted = 1 } }',
    "{ a = 1, a = 2 }",
  ],
  ...[
    "var.nope",
    "var",
    "var.a.b.c",
    "local",
    "local.nope",
    "source.name",
    "build.ID",
    "build.SourceAMI",
    "data.x.y.z",
    "path",
  ],
  ...[
    "each.value",
    "self",
    "packer.version",
    "path.root[0]",
    "var[*]",
    "[1][*].a",
    "[1].0.0",
    "null.a",
    '"a"[0]',
    "{}.a",
    "[][9]",
  ],
  ...[
    "[for x in [1, 2] : x...]",
    "{ for k, v in {} : k => v... }",
    "[for x in 5 : x]",
    "[for x in null : x]",
    "{ for x in [1, 1] : x => x }",
  ],
  ...[
    "[for x, y, z in [] : x]",
    "{ for x in [null] : x => x }",
    "true ? 1 : []",
    "null ? 1 : 2",
    '"x" ? 1 : 2',
    "1 ? 2 : 3",
    "!null",
  ],
  ...[
    '"a" + 1',
    '"1" * "2"',
    "[] == {}",
    "{} && true",
    "-[]",
    "1 < null",
    '"${[]}"',
    '"${null}"',
    '"%{ for x in [1] }${x}%{ endfor }"',
  ],
  ...[
    '"%{ if null }x%{ endif }"',
    "nope()",
    "upper()",
    "upper(null)",
    "upper([]...)",
    "max([]...)",
    "try()",
    "can()",
    "file(path.root)",
  ],
  ...[
    'file("/dev/zero")',
    'file("/proc/self/mem")',
    'fileset("/", "**/nope")',
    'templatefile("fuzz.pkr.hcl", {})',
    'format("%999999999d", 1)',
  ],
  ...[
    'format("%[99]d%*d", 1)',
    'regex("(a*)*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")',
    'regexall("", "abc")',
    'replace("a", "/(/", "")',
  ],
  ...[
    "range(1e9)",
    "range(0, 1, 0)",
    "range(0, 1, 1e-9)",
    "pow(10, 1e6)",
    "pow(0, -1)",
    "log(0, 1)",
    "parseint(null, 99)",
    'substr("é", 1e9, -9)',
  ],
  ...[
    'jsondecode("[[[[")',
    'yamldecode("a: &a [*a, *a]")',
    'yamldecode("*x")',
    'csvdecode("a,a")',
    'base64decode("!")',
    'formatdate("\'\'", "x")',
  ],
  ...[
    'cidrsubnet("10.0.0.0/8", 99, 1e30)',
    'cidrhost("::/0", -1)',
    "flatten([[[[1]]]])",
    "chunklist([1], 0)",
    "setproduct([1], [])",
    "zipmap([1], [])",
  ],
  ...[
    "list(string)",
    "object({ a = optional(any) })",
    "map(list(set(object({}))))",
    "tuple([])",
    "optional(string)",
    'env("HOME")',
  ],
  ...[
    "<<EOT\n${upper(1)}\nEOT\n",
    "<<-EOT\n\t  a\n  %{ if true }\n b\n  %{ endif ~}\n  EOT\n",
    "<<EOT\nEOT",
    "<<EOT\n",
  ],
];

export const NASTY_HCL: readonly string[] = [
  ...EXPRESSIONS,
  ...CALLS,
  ...NASTY_STRINGS.map((text) => JSON.stringify(text)),
];

/** A template whose locals are all that is nasty and all that is right, each by itself. */
export function everyExpression(): string {
  const wellFormed = [...EXPRESSIONS.filter((text) => !text.startsWith("<<")), ...CALLS];
  const locals = wellFormed.map((text, index) => `  e${index} = try(${text}, null)\n`);
  return withLocals(locals.join(""));
}

/** Texts that no template may be, or that have far too much of something. */
export const BULKY_HCL_TEXTS: readonly (readonly [string, () => string | Uint8Array])[] = [
  ["HCL2: 20,000 lists in each other", () => local("[".repeat(20_000))],
  ["HCL2: 20,000 parentheses", () => local(`${"(".repeat(20_000)}1${")".repeat(20_000)}`)],
  ["HCL2: 20,000 objects in each other", () => local("{ a = ".repeat(20_000))],
  ["HCL2: 20,000 templates in each other", () => local('"${'.repeat(20_000))],
  ["HCL2: 20,000 calls in each other", () => local(`${"upper(".repeat(20_000)}"x"${")".repeat(20_000)}`)],
  ["HCL2: 20,000 blocks in each other", () => `${"a {\n".repeat(20_000)}${"}\n".repeat(20_000)}`],
  ["HCL2: 20,000 negations", () => local(`${"!".repeat(20_000)}true`)],
  ["HCL2: 20,000 minuses", () => local(`${"-".repeat(20_000)}1`)],
  ["HCL2: a sum of 50,000", () => local(`1${" + 1".repeat(50_000)}`)],
  ["HCL2: 50,000 conditions", () => local(`${"true ? 1 : ".repeat(50_000)}1`)],
  ["HCL2: 20,000 attributes of attributes", () => local(`null${".a".repeat(20_000)}`)],
  ["HCL2: 20,000 indexes", () => local(`null${"[0]".repeat(20_000)}`)],
  ["HCL2: 20,000 splats", () => local(`[1]${"[*]".repeat(20_000)}`)],
  ["HCL2: a text of 1 MB", () => local(`"${"x".repeat(1_000_000)}"`)],
  ["HCL2: an unclosed text of 1 MB", () => local(`"${"x".repeat(1_000_000)}`)],
  ["HCL2: 20,000 interpolations", () => local(`"${"${1}".repeat(20_000)}"`)],
  ["HCL2: 20,000 directives without end", () => local(`"${"%{ if true }".repeat(20_000)}"`)],
  ["HCL2: a heredoc of 20,000 lines", () => local(`<<-EOT\n${"  x\n".repeat(20_000)}EOT\n`)],
  ["HCL2: an unclosed heredoc of 20,000 lines", () => local(`<<-EOT\n${"  x\n".repeat(20_000)}`)],
  ["HCL2: 200,000 line ends", () => "\n".repeat(200_000)],
  ["HCL2: an unclosed comment of 1 MB", () => `/*${"*".repeat(1_000_000)}`],
  ["HCL2: 1 MB of quotes", () => '"'.repeat(1_000_000)],
  ["HCL2: 30,000 unknown keys", () => lines(30_000, (index) => `key${index} = 1`)],
  ["HCL2: 20,000 variables", () => lines(20_000, (index) => `variable "v${index}" {\n}`)],
  ["HCL2: a chain of 20,000 locals", () => chain(20_000, (next) => next)],
  ["HCL2: lists that double 60 times", () => chain(60, (next) => `[${next}, ${next}]`)],
  [
    "HCL2: a circle of 5,000 locals",
    () => withLocals(lines(5000, (index) => `  a${index} = local.a${(index + 1) % 5000}`)),
  ],
  [
    "HCL2: 20,000 builds of one name",
    () => `source "amazon-chroot" "a" {\n}\n${lines(20_000, () => 'build {\nsources = ["amazon-chroot.a"]\n}')}`,
  ],
  [
    "HCL2: a product of ten sets",
    () => local(`setproduct(${Array.from({ length: 10 }, () => "range(1000)").join(", ")})`),
  ],
  ["HCL2: a dynamic block for each of a million", () => dynamic("range(1000000)")],
  [
    "HCL2: dynamic blocks in each other",
    () => `build {\n${'dynamic "source" {\nfor_each = range(100)\ncontent {\n'.repeat(20)}${"}\n}\n".repeat(20)}}\n`,
  ],
  [
    "HCL2: a type 10,000 deep",
    () => `variable "a" {\ntype = ${"list(".repeat(10_000)}string${")".repeat(10_000)}\n}\n`,
  ],
  ["HCL2: a regular expression that goes back and forth", () => local(`regex("(x+x+)+y", "${"x".repeat(50_000)}")`)],
  ["HCL2: a width of a billion", () => local('format("%1000000000s", "x")')],
  ["HCL2: a power of a billion", () => local("pow(10, 1000000000)")],
  ["HCL2: a number of a billion digits", () => local("1e1000000000 + 1e-1000000000")],
  ["HCL2: a number of 1 MB", () => local(`${"9".repeat(1_000_000)} % 7`)],
  ["HCL2: a billion numbers", () => local("length(range(1000000000))")],
  ["HCL2: YAML that multiplies", () => local(`yamldecode("${yamlBomb()}")`)],
  ["HCL2: 20,000 wrong lines", () => lines(100_000, () => "= {")],
  [
    "HCL2: 20,000 sensitive defaults in what cannot be parsed",
    () =>
      `${lines(20_000, (index) => `variable "v${index}" {\nsensitive = true\ndefault = "secret${index}"\n}`)}x = ??\n`,
  ],
  ["HCL2: a sensitive default of 100,000 names", () => `sensitive = 1\n${"default = ".repeat(100_000)}`],
  ["HCL2: a file of NUL bytes", () => new Uint8Array(20_000)],
  ["HCL2: a byte order mark", () => "\uFEFFlocals {\n}\n"],
  ["HCL2: nothing", () => ""],
];

/** Those that are given up after seconds only: for the long run. */
export const SLOW_HCL_TEXTS: typeof BULKY_HCL_TEXTS = [
  ["HCL2: ten loops in each other", () => local(`${"[for x in range(1000) : ".repeat(10)}x${"]".repeat(10)}`)],
  ["HCL2: locals that double 60 times", () => chain(60, (next) => `"\${${next}}\${${next}}"`)],
  ["HCL2: a text joined of itself", () => chain(50, (next) => `join("", [${next}, ${next}, ${next}])`)],
];

function withLocals(text: string): string {
  const source = 'source "amazon-chroot" "web" {\n  ami_name   = "web"\n  source_ami = "ami-1"\n}\n';
  return `locals {\n${text}}\n${source}build {\n  sources = ["source.amazon-chroot.web"]\n}\n`;
}

function local(expression: string): string {
  return withLocals(`  a = ${expression}\n`);
}

function lines(count: number, line: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => `${line(index)}\n`).join("");
}

function chain(count: number, value: (next: string) => string): string {
  return withLocals(`${lines(count, (index) => `  a${index} = ${value(`local.a${index + 1}`)}`)}  a${count} = "x"\n`);
}

function dynamic(forEach: string): string {
  return `source "amazon-chroot" "web" {\n  dynamic "tag" {\n    for_each = ${forEach}\n    content {\n      key   = tag.key\n      value = tag.value\n    }\n  }\n}\nbuild {\n  sources = ["source.amazon-chroot.web"]\n}\n`;
}

function yamlBomb(): string {
  const rows = Array.from({ length: 9 }, (_, index) => {
    const ten = Array.from({ length: 10 }, () => `*a${index}`).join(",");
    return `a${index + 1}: &a${index + 1} [${ten}]`;
  });
  return ["a0: &a0 [x]", ...rows].join("\\n");
}
