// What people, programs and attackers put where something else belongs.

/** Strings that have broken a parser, a shell or an object somewhere. */
export const NASTY_STRINGS: readonly string[] = [
  ...["", " ", "\0", "\n", "\r\n", "\t", "a\0b", "\u2028", "\uFEFF", "\ud800", "\udc00x", "e\u0301", "🦊", "İ", "ﬀ"],
  ...["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "valueOf", "then", "length"],
  ...["null", "true", "-1", "1e999", "0x10", "012", "NaN", "9".repeat(400), "../../../etc/passwd", "/dev/zero", "-"],
  ...["$HOME", "`id`", "$(id)", "'", '"', "\\", "; rm -rf x", "%s%n%p", "a,b,,c", "\u001b[31m", "ami-", "/dev/"],
];

/** Template expressions, most of them wrong. */
export const NASTY_EXPRESSIONS: readonly string[] = [
  ...["{{", "}}", "{{}}", "{{.}}", "{{.X}}", "{{.Device.X}}", "{{.__proto__}}", "{{.constructor}}", "{{ `x` }}"],
  ...["{{user `a`}}", "{{user `__proto__`}}", "{{user}}", "{{user 1}}", "{{user (user `a`)}}", "{{a|b|c}}", "{{/*"],
  ...["{{/* x */}}", "{{- `x` -}}", "{{1e999}}", "{{0x}}", "{{'x'}}", "{{''}}", '{{"\\x"}}', '{{"\\ud800"}}'],
  ...["{{split `a-b` `-` 9}}", "{{split `a` `` -1}}", "{{replace `` `x` -1 `ab`}}", "{{replace `a` `b` 1e20 `a`}}"],
  ...["{{isotime `2006-__2 .000`}}", "{{strftime `%`}}", "{{env `HOME`}}", "{{build `SourceAMI`}}", "{{timestamp}}"],
  ...["{{if true}}x{{end}}", "{{$x := 1}}", "{{nil}}", "{{true}}", "{{(((((1)))))}}", "{{upper (lower `É`)}}"],
];

const NASTY_NUMBERS = ["0", "-0", "1", "-1", "1.5", "1e999", "-1e999", "1e-999", "9007199254740993", "9".repeat(400)];

/** JSON texts, some of which a JSON library cannot write. */
export const NASTY_JSON: readonly string[] = [
  ...["null", "true", "false", "[]", "{}", "[[]]", "[null]", "[{}]", '{"a":{}}', '["a","b"]', '[["a","b","c"]]'],
  ...NASTY_NUMBERS,
  ...[...NASTY_STRINGS, ...NASTY_EXPRESSIONS].map((text) => JSON.stringify(text)),
  ...['{"__proto__":{"polluted":"yes"}}', '{"__proto__":"x"}', '{"constructor":{"prototype":{"polluted":"yes"}}}'],
  ...['"\\ud83d\\ude00"', '"\\u0000"', '"\\/"', "[1,2,3,4,5,6,7,8,9,10]", '{"":""}', '{"a":1,"a":2}'],
];

/** Texts that no template may be: not JSON, not UTF-8, or far too much of something. */
export const BULKY_TEXTS: readonly (readonly [string, () => string | Uint8Array])[] = [
  ["lists nested 100,000 deep", () => "[".repeat(100_000)],
  ["objects nested 100,000 deep", () => `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`],
  ["lists behind a quote in a comment", () => `/*"*/${"[".repeat(100_000)}`],
  ["a string of 50 MB", () => `{"description":"${"x".repeat(50_000_000)}"}`],
  ["a string of 3 MB", () => `{"description":"${"\\u0041".repeat(500_000)}"}`],
  ["an unclosed string of 3 MB", () => `{"description":"${"x".repeat(3_000_000)}`],
  ["a million line ends", () => `${"\n".repeat(1_000_000)}{`],
  ["a key of 3 MB", () => `{"${"x".repeat(3_000_000)}":1}`],
  ["a key that says 500,000 times that it is secret", () => `{"${"secret".repeat(500_000)}":1}`],
  ["30,000 unknown keys", () => objectOf(30_000, (index) => [`key-${index}`, "1"])],
  ["30,000 unknown keys of a builder", () => builderWith(objectOf(30_000, (index) => [`ami_nam${index}`, "1"]))],
  ["a million numbers", () => `{"builders":[${"1,".repeat(1_000_000)}1]}`],
  ["a list of 300,000 texts", () => builderWith(`{"copy_files":[${'"x",'.repeat(300_000)}"x"]}`)],
  ["10,000 builders of one name", () => `{"builders":[${'{"type":"amazon-chroot"},'.repeat(10_000)}{}]}`],
  ["5,000 builders", () => listOf("builders", 5000, (index) => `{"type":"amazon-chroot","name":"b${index}"}`)],
  ["many builders and many provisioners", manyBuildersAndProvisioners],
  ["30,000 variables", () => variables(30_000, () => "")],
  ["a chain of 5,000 variables", () => variables(5000, (index) => `{{user \`v${index + 1}\`}}`)],
  ["variables that double 40 times", () => variables(41, doubling)],
  [
    "20,000 unknown variables",
    () =>
      withDescription(
        "{{user `nope`}}".repeat(20_000),
        variables(200, () => ""),
      ),
  ],
  ["100,000 open parentheses", () => withDescription(`{{${"(".repeat(100_000)}`)],
  ["a pipeline of 100,000 stages", () => withDescription(`{{"a"${"|upper".repeat(100_000)}}}`)],
  ["50,000 unknown functions", () => withDescription("{{uper}}".repeat(50_000))],
  ["a million spaces before a marker", () => withDescription(`${" ".repeat(1_000_000)}x{{- "a"}}`)],
  ["a million characters, each replaced", replaced],
  ["a layout of time of a million zeros", () => withDescription(`{{isotime "${"0".repeat(1_000_000)}"}}`)],
  ["binary", () => Uint8Array.from({ length: 5000 }, (_, index) => (index * 7919) % 256)],
  ["UTF-16", () => Buffer.from('\uFEFF{"builders": []}', "utf16le")],
  ["a byte order mark", () => '\uFEFF{"builders": []}'],
  ["nothing", () => ""],
  ["a file of NUL bytes", () => new Uint8Array(100_000)],
];

function objectOf(count: number, entry: (index: number) => readonly [string, string]): string {
  const members = Array.from({ length: count }, (_, index) => {
    const [key, value] = entry(index);
    return `"${key}":${value}`;
  });
  return `{${members.join(",")}}`;
}

function listOf(key: string, count: number, item: (index: number) => string): string {
  return `{"${key}":[${Array.from({ length: count }, (_, index) => item(index)).join(",")}]}`;
}

function builderWith(members: string): string {
  return `{"builders":[{"type":"amazon-chroot","ami_name":"web","source_ami":"ami-1",${members.slice(1)}]}`;
}

function withDescription(text: string, root = '{"builders":[]}'): string {
  return `{"description":${JSON.stringify(text)},${root.slice(1)}`;
}

function variables(count: number, value: (index: number) => string): string {
  return `{"variables":${objectOf(count, (index) => [`v${index}`, JSON.stringify(value(index))])},"builders":[]}`;
}

function doubling(index: number): string {
  return index === 40 ? "x" : `{{user \`v${index + 1}\`}}{{user \`v${index + 1}\`}}`;
}

function replaced(): string {
  const long = "a".repeat(1_000_000);
  return withDescription(`{{replace_all "a" "${long}" "${long}"}}`);
}

function manyBuildersAndProvisioners(): string {
  const builders = listOf("builders", 3000, (index) => `{"type":"amazon-chroot","name":"b${index}"}`);
  const provisioners = listOf("provisioners", 30_000, () => '{"type":"shell"}');
  return `${builders.slice(0, -1)},${provisioners.slice(1)}`;
}
