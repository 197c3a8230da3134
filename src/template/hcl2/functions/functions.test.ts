// What Packer 1.6.6 cannot judge (test/contract/packer-hcl2-functions.test.ts has the rest): later functions, files, what is
// not known yet, messages.
import assert from "node:assert/strict";
import { constants, generateKeyPairSync, publicEncrypt } from "node:crypto";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { evaluateText, FUNCTION_CONTEXT } from "../../../../test/helpers/hcl-expressions.ts";
import { type ForeignRequest, ForeignValueError } from "../../foreign-values.ts";
import { HclError } from "../evaluate/hcl-error.ts";
import { objectValue, stringValue, tupleValue, unknownValue } from "../values/construct.ts";
import { isKnown, textOf } from "../values/contents.ts";
import { toJson } from "../values/json.ts";
import { typeName } from "../values/types.ts";
import { DYNAMIC, type HclValue, NUMBER, STRING } from "../values/value.ts";
import { createDefaultFunctions, createHclFunctions, type HclFunctionContext } from "./create-functions.ts";
import { encodeYaml } from "./encode-yaml.ts";

/** The value as JSON, or what is wrong. */
function answer(text: string, context: Partial<HclFunctionContext> = {}): string {
  try {
    return toJson(evaluateText(text, { context }));
  } catch (error) {
    if (!(error instanceof HclError)) throw error;
    return error.message;
  }
}

const VALUES: readonly (readonly [expression: string, json: string])[] = [
  ["alltrue([true, true])", "true"],
  ["alltrue([])", "true"],
  ["alltrue([true, null])", "false"],
  ['alltrue(["true", false])', "false"],
  ["anytrue([false, true])", "true"],
  ["anytrue([])", "false"],
  ["anytrue([null, false])", "false"],
  ['startswith("hello", "he")', "true"],
  ['startswith("hello", "")', "true"],
  ['endswith("hello", "he")', "false"],
  ['strcontains("hello", "ell")', "true"],
  ['strcontains("", "")', "true"],
  ["sum([1, 2.5, -1])", "2.5"],
  ['sum(["1", 2])', "3"],
  ["sum(toset)", 'There is no variable "toset"'],
  ["sum([])", 'Cannot call "sum": the list is empty'],
  ["sum([1, null])", 'Cannot call "sum": element 1 is null'],
  ['sum(["x"])', 'Cannot call "sum": must be a number, not "x"'],
  ["sum({a = 1})", 'Cannot call "sum": a list of numbers is needed'],
  ['index(["a", "b", "a"], "a")', "0"],
  ["index([1, 2], 2)", "1"],
  ['index([1], "1")', 'Cannot call "index": the list has no such element'],
  ["index([], 1)", 'Cannot call "index": the list is empty'],
  ["merge()", "{}"],
  ['regex("[a-z]+", "53453453.345345aaabbbccc23454")', '"aaabbbccc"'],
  ['regex("(\\\\d+)-(\\\\d+)", "a 2019-02")', '["2019","02"]'],
  ['regex("(?P<y>\\\\d+)-(?P<m>\\\\d+)", "a 2019-02").m', '"02"'],
  ['regex("(a)(b)?", "a")', '["a",null]'],
  ['regex("x", "a")', 'Cannot call "regex": the pattern does not match any part of the text'],
  ['regex("(?=x)", "a")', 'Cannot call "regex": invalid regular expression: invalid or unsupported Perl syntax: `(?=`'],
  ['regex("(?P<a>x)(y)", "xy")', 'Cannot call "regex": some groups have names and others have none'],
  ['regexall("(\\\\w)=(\\\\d)", "a=1,b=2")', '[["a","1"],["b","2"]]'],
  ['regexall("x", "abc")', "[]"],
  ['length(regexall("a", "banana"))', "3"],
  ["element([1], -1)", 'Cannot call "element": the index must not be negative, and is -1'],
  ['rfc3339_parse("2023-07-25T23:43:16-07:00").unix', "1690353796"],
  ['rfc3339_parse("2023-07-25 23:43:16.5Z").second', "16"],
  [
    'rfc3339_parse("2021-01-03T00:00:00Z")',
    '{"day":3,"hour":0,"iso_week":53,"iso_year":2020,"minute":0,"month":1,"month_name":"January","second":0,"unix":1609632000,"weekday":0,"weekday_name":"Sunday","year":2021,"year_day":3}',
  ],
  [
    "unix_timestamp_parse(1690328596)",
    '{"day":25,"hour":23,"iso_week":30,"iso_year":2023,"minute":43,"month":7,"month_name":"July","rfc3339":"2023-07-25T23:43:16Z","second":16,"weekday":2,"weekday_name":"Tuesday","year":2023,"year_day":206}',
  ],
  ["unix_timestamp_parse(-1).rfc3339", '"1969-12-31T23:59:59Z"'],
  ["unix_timestamp_parse(1.5)", 'Cannot call "unix_timestamp_parse": a whole number is needed, not 1.5'],
  ["timestamp()", '"2024-05-06T07:08:09Z"'],
  ["legacy_isotime()", '"2024-05-06T07:08:09Z"'],
  ['legacy_isotime("2006-01-02 Mon")', '"2024-05-06 Mon"'],
  ['legacy_strftime("%Y%m%d")', '"20240506"'],
  ['legacy_isotime("a", "b")', 'Cannot call "legacy_isotime": one layout is needed, not 2'],
  ["formatdate(\"YYYY 'hello'\", timestamp())", '"2024 hello"'],
  [
    'formatdate("YYYY", "2024-13-01T00:00:00Z")',
    'Cannot call "formatdate": "2024-13-01T00:00:00Z" is no RFC 3339 time: it has 13 as its month',
  ],
  [
    'formatdate("YYYY", "2024-01-01")',
    'Cannot call "formatdate": "2024-01-01" is no RFC 3339 time: it ends before "T" before the time',
  ],
  ['formatdate("YYY", timestamp())', 'Cannot call "formatdate": "YYY" is no part of a time: use YY, YYYY'],
  ['timeadd(timestamp(), "1x")', 'Cannot call "timeadd": "1x" is no duration'],
  ['textencodebase64("Hi", "UTF-16LE")', '"SABpAA=="'],
  ['textencodebase64("Hi", "utf-16")', '"/v8ASABp"'],
  ['textencodebase64("é", "ISO-8859-1")', '"6Q=="'],
  ['textencodebase64("€", "windows-1252")', '"gA=="'],
  ['textencodebase64("日本", "Shift_JIS")', '"k/qWew=="'],
  ['textencodebase64("日", "ISO-8859-1")', 'Cannot call "textencodebase64": "日" is no character of ISO-8859-1'],
  ['textencodebase64("é", "US-ASCII")', 'Cannot call "textencodebase64": "é" is no character of US-ASCII'],
  ['textencodebase64("a", "nope")', 'Cannot call "textencodebase64": there is no encoding "nope"'],
  ['textdecodebase64("SABpAA==", "UTF-16LE")', '"Hi"'],
  ['textdecodebase64("/v8ASABp", "UTF-16")', '"Hi"'],
  ['textdecodebase64("gA==", "windows-1252")', '"€"'],
  ['textdecodebase64("gQ==", "UTF-8")', 'Cannot call "textdecodebase64": the bytes are no text in UTF-8'],
  ['textdecodebase64("AA==", "UTF-16LE")', 'Cannot call "textdecodebase64": the bytes are no text in UTF-16LE'],
  ['base64decode("a_b=")', 'Cannot call "base64decode": this is no base64: "_" at position 1 does not fit'],
  ['abspath("x/../y")', '"/somewhere/y"'],
  ['pathexpand("~/.ssh")', '"/home/somebody/.ssh"'],
  ['pathexpand("~")', '"/home/somebody"'],
  ['pathexpand("~root/x")', 'Cannot call "pathexpand": the home directory of another user is not looked up: "~root/x"'],
  ['csvdecode("a,b\\n1")', 'Cannot call "csvdecode": line 2 has 1 fields where the first has 2'],
  ['csvdecode("a,a")', 'Cannot call "csvdecode": there are two columns "a"'],
  ['yamldecode("")', 'Cannot call "yamldecode": there is no document in it'],
  ['yamldecode("# a")', 'Cannot call "yamldecode": there is no document in it'],
  ['yamldecode("---")', "null"],
  ['yamldecode("a: !!binary aGk=").a', '"aGk="'],
  ['yamldecode("!!binary |\\n  aG\\n  k=\\n")', '"aG\\nk=\\n"'],
  ['yamldecode("!!timestamp 2006-01-02")', '"2006-01-02T00:00:00Z"'],
  ['yamldecode("!!binary hi")', 'Cannot call "yamldecode": "hi" is not base64'],
  ['yamldecode("a: .inf")', 'Cannot call "yamldecode": .inf is no finite number'],
  ['yamldecode("- &a [*a]")', 'Cannot call "yamldecode": an anchor is used inside its own definition'],
  ['yamldecode("[")', 'Cannot call "yamldecode": this is no YAML: Flow sequence must end with a ] at line 1, column 2'],
  ['jsondecode("{")', 'Cannot call "jsondecode": The file ends too early (line 1, column 2)'],
  ["log(0, 2)", 'Cannot call "log": the result is infinite'],
  ["pow(-8, 0.5)", 'Cannot call "pow": the result is no number'],
  ['format("%d", 1.5)', 'Cannot call "format": value 1, for "%d", must be a whole number'],
  ['format("%s %s", "a")', 'Cannot call "format": "%s" needs value 2, and there is 1 value'],
  ['format("%y", 1)', 'Cannot call "format": there is no verb "%y"'],
  ['format("a", 1, 2)', 'Cannot call "format": there are 2 values, and the format uses none'],
  ['format("%999999999d", 1)', 'Cannot call "format": "%999999999d" is wider than 1000000'],
  [
    'formatlist("%s", ["a"], ["b", "c"])',
    'Cannot call "formatlist": the list has 2 elements, but that of value 1 has 1',
  ],
  ['join(",", ["a", null])', 'Cannot call "join": element 1 is null, and cannot be joined'],
  ['indent(99999999, "a\\nb")', 'Cannot call "indent": the result would be longer than 67108864 characters'],
  [
    'replace("aaaaaaaaaa", "", format("%1000000s%1000000s%1000000s%1000000s%1000000s%1000000s%1000000s", 1, 1, 1, 1, 1, 1, 1))',
    'Cannot call "replace": the result would be longer than 67108864 characters',
  ],
  ["range(0, 5000)", 'Cannot call "range": there are more than 1024 numbers'],
  ["setproduct(range(1000), range(1000))", 'Cannot call "setproduct": there would be 1000000 combinations'],
  ['cidrhost("10.0.0.0/30", 4)', 'Cannot call "cidrhost": 10.0.0.0/30 has no host number 4: there are 4, from 0 to 3'],
  ['cidrsubnet("10.0.0.0/24", 9, 0)', 'Cannot call "cidrsubnet": a prefix of 24 bits and 9 more are 33: IPv4 has 32'],
  [
    'cidrsubnets("10.0.0.0/24", 1, 1, 1)',
    'Cannot call "cidrsubnets": 10.0.0.0/24 has no room left for a network of /25',
  ],
  [
    'cidrnetmask("10.0.0.0")',
    'Cannot call "cidrnetmask": "10.0.0.0" is no network in CIDR notation, such as "10.0.0.0/16" or "fd00::/48"',
  ],
  ['uuidv5("nope", "x")', 'Cannot call "uuidv5": "nope" is no namespace'],
  ['bcrypt("x", 31)', 'Cannot call "bcrypt": a cost of 31 would take too long: the most is 16'],
  [
    "try(upper([]), lower([]))",
    'Cannot call "try": no expression has a value: 1. Argument 1 of "upper" (str) must be a string, not a tuple; 2. Argument 1 of "lower" (str) must be a string, not a tuple',
  ],
  ['convert("x", number)', 'Cannot call "convert": the value must be a number, not "x"'],
  ['env("HOME")', 'There is no function "env"'],
];

for (const [expression, json] of VALUES) {
  test(`${expression.slice(0, 80)} gives what it should`, () => assert.equal(answer(expression), json));
}

test("functions of the defaults of variables read the environment", () => {
  const env = createDefaultFunctions({ HOME: "/root" }).get("env") ?? assert.fail("there is no env");
  assert.ok(!("isLazy" in env));
  assert.equal(textOf(env.call([stringValue("HOME")])), "/root");
  assert.equal(textOf(env.call([stringValue("NOPE")])), "");
});

test("every function has a usage that is a call of it, and a summary", () => {
  for (const [name, { usage, summary }] of createHclFunctions(FUNCTION_CONTEXT)) {
    assert.ok(usage.startsWith(`${name}(`), usage);
    assert.match(summary, /^[-A-Z0-9].*[^.]$/, name);
  }
});

test("there is every function of Packer", () => {
  const names =
    "abs abspath alltrue anytrue aws_secretsmanager aws_secretsmanager_raw base64decode base64encode base64gzip basename bcrypt can ceil chomp chunklist cidrhost cidrnetmask cidrsubnet cidrsubnets coalesce coalescelist compact concat consul_key contains convert csvdecode dirname distinct element endswith file filebase64 fileexists fileset flatten floor format formatdate formatlist indent index join jsondecode jsonencode keys legacy_isotime legacy_strftime length log lookup lower max md5 merge min parseint pathexpand pow range regex regex_replace regexall replace reverse rfc3339_parse rsadecrypt setintersection setproduct setunion sha1 sha256 sha512 signum slice sort split startswith strcontains strrev substr sum templatefile textdecodebase64 textencodebase64 timeadd timestamp title trim trimprefix trimspace trimsuffix try unix_timestamp_parse upper urlencode uuidv4 uuidv5 values vault yamldecode yamlencode zipmap";
  assert.deepEqual([...createHclFunctions(FUNCTION_CONTEXT).keys()].sort().join(" "), names);
});

test("base64gzip() gives what any gzip reads", () => {
  const packed = Buffer.from(textOf(evaluateText('base64gzip("Hello ☃")')), "base64");
  assert.equal(gunzipSync(packed).toString(), "Hello ☃");
});

test("bcrypt() makes hashes that check, with the cost that was asked for", async () => {
  const { compareSync } = await import("bcryptjs");
  const hash = textOf(evaluateText('bcrypt("pässword", 4)'));
  assert.match(hash, /^\$2a\$04\$/);
  assert.ok(compareSync("pässword", hash));
  assert.ok(!compareSync("password", hash));
});

test("rsadecrypt() reads what was encrypted for a key, and nothing else", () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
  const bytes = publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_PADDING }, Buffer.from("hello ☃"));
  const variables = (ciphertext: string, key: string | Buffer) =>
    new Map([
      ["text", stringValue(ciphertext)],
      ["key", stringValue(String(key))],
    ]);
  const decrypt = (ciphertext: string, key: string | Buffer) =>
    textOf(evaluateText("rsadecrypt(text, key)", { variables: variables(ciphertext, key) }));
  const pem = privateKey.export({ type: "pkcs1", format: "pem" });
  assert.equal(decrypt(bytes.toString("base64"), pem), "hello ☃");
  assert.throws(() => decrypt(Buffer.alloc(128, 1).toString("base64"), pem), /was not encrypted for this key/);
  assert.throws(() => decrypt("AAAA", pem), /has 3 bytes, and with this key 128/);
  assert.throws(() => decrypt("AAAA", "no key"), /no private RSA key in PEM/);
});

async function directoryWithFiles(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), "amibake-functions-"));
  await mkdir(join(path, "files/deep"), { recursive: true });
  await writeFile(join(path, "files/a.sh"), "echo a\n");
  await writeFile(join(path, "files/b.txt"), "b é");
  await writeFile(join(path, "files/deep/c.sh"), "c");
  await writeFile(join(path, "files/bytes"), Buffer.of(0xff, 0x00));
  await symlink("a.sh", join(path, "files/link.sh"));
  await writeFile(join(path, "hello.tpl"), "Hello ${name}!%{ for n in list } ${upper(n)}%{ endfor }\n");
  await writeFile(join(path, "self.tpl"), '${templatefile("self.tpl", {})}');
  await writeFile(join(path, "wrong.tpl"), "a\n${name");
  await writeFile(join(path, "number.tpl"), "${1 + 1}");
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

test("functions of files start at the template", async () => {
  await using directory = await directoryWithFiles();
  const { path } = directory;
  const ask = (text: string) => answer(text, { baseDirectory: path }).replaceAll(path, "DIR");
  assert.equal(ask('file("files/a.sh")'), '"echo a\\n"');
  assert.equal(ask(`file("${path}/files/b.txt")`), '"b é"');
  assert.equal(ask('file("nope")'), 'Cannot call "file": there is no file "DIR/nope"');
  assert.equal(ask('file("files")'), 'Cannot call "file": "DIR/files" is no regular file');
  assert.equal(ask('file("/dev/zero")'), 'Cannot call "file": "/dev/zero" is no regular file');
  assert.equal(ask('file("files/bytes")'), 'Cannot call "file": "files/bytes" is no text in UTF-8');
  assert.equal(ask('filebase64("files/bytes")'), '"/wA="');
  assert.equal(ask('fileexists("files/a.sh")'), "true");
  assert.equal(ask('fileexists("nope")'), "false");
  assert.equal(ask('fileexists("files")'), 'Cannot call "fileexists": "DIR/files" is there, but is no regular file');
  assert.equal(ask('fileset("files", "*.sh")'), '["a.sh","link.sh"]');
  assert.equal(ask('fileset("files", "**/*.sh")'), '["a.sh","deep/c.sh","link.sh"]');
  assert.equal(ask('fileset("files", "**")'), '["a.sh","b.txt","bytes","deep/c.sh","link.sh"]');
  assert.equal(ask('fileset("files", "{a,b}.*")'), '["a.sh","b.txt"]');
  assert.equal(ask('fileset("files", "[ab].?h")'), '["a.sh"]');
  assert.equal(ask('fileset("files", "deep/*")'), '["deep/c.sh"]');
  assert.equal(ask('fileset("nope", "*")'), "[]");
  assert.equal(ask('fileset("files/deep", "../*.sh")'), '["../a.sh","../link.sh"]');
  assert.equal(ask('fileset("files/deep", "../deep/c.sh")'), '["c.sh"]');
  assert.equal(ask('fileset("files", "*/../a.sh")'), '["a.sh"]');
  assert.equal(ask('fileset("files", "[\\\\^a].sh")'), '["a.sh"]');
  assert.equal(ask('fileset("files", "[^b].sh")'), '["a.sh"]');
  for (const pattern of ["[", "zzz[", "[a-]*", "[]a]*", "{a", "{a,[}"]) {
    assert.match(ask(`fileset("files", "${pattern}")`), /is no pattern of file names/, pattern);
  }
  assert.match(ask('fileset("files", "[z-a]")'), /is no pattern of file names/);
});

test("templatefile() knows the given names, and no others", async () => {
  await using directory = await directoryWithFiles();
  const ask = (text: string) => answer(text, { baseDirectory: directory.path });
  assert.equal(ask('templatefile("hello.tpl", { name = "you", list = ["a", "b"] })'), '"Hello you! A B\\n"');
  assert.equal(ask('templatefile("number.tpl", {})'), "2");
  assert.equal(
    ask('templatefile("hello.tpl", { name = "you" })'),
    'Cannot call "templatefile": "list" is missing, which hello.tpl, line 1, column 27 uses',
  );
  assert.equal(
    ask('templatefile("hello.tpl", { name = "you", list = 1 })').replace(/: [^:]*\(/, ": … ("),
    'Cannot call "templatefile": … (hello.tpl, line 1, column 27)',
  );
  assert.match(ask('templatefile("self.tpl", {})'), /a file of templatefile cannot use templatefile itself/);
  assert.match(ask('templatefile("wrong.tpl", { name = 1 })'), /^Cannot call "templatefile": .*\(wrong.tpl, line 2\)$/);
  assert.equal(
    ask('templatefile("number.tpl", 1)'),
    'Cannot call "templatefile": a map of names is needed, not a number',
  );
  assert.match(ask('templatefile("number.tpl", { "a b" = 1 })'), /"a b" is no name/);
});

test("what is not known yet makes as little unknown as possible", () => {
  const variables = new Map<string, HclValue>([
    ["later", unknownValue(STRING)],
    ["any", unknownValue(DYNAMIC)],
    ["list", tupleValue([stringValue("a"), unknownValue(STRING)])],
    ["object", objectValue([["a", unknownValue(NUMBER)]])],
  ]);
  const ask = (text: string) => {
    const value = evaluateText(text, { variables });
    return isKnown(value) ? toJson(value) : typeName(value.type);
  };
  assert.equal(ask("upper(later)"), "string");
  assert.equal(ask("length(later)"), "number");
  assert.equal(ask("length(list)"), "2");
  assert.equal(ask("length(any)"), "number");
  assert.equal(ask("keys(object)"), '["a"]');
  assert.equal(ask("element(list, 2)"), '"a"');
  assert.equal(ask("element(list, 1)"), "string");
  assert.equal(ask('concat(list, ["b"])[2]'), '"b"');
  assert.equal(ask("reverse(list)[1]"), '"a"');
  assert.equal(ask("slice(list, 0, 1)"), '["a"]');
  assert.equal(ask('contains(list, "a")'), "true");
  assert.equal(ask('contains(list, "b")'), "bool");
  assert.equal(ask('lookup(object, "b", 1)'), "1");
  assert.equal(ask("merge(object, { b = 2 }).b"), "2");
  assert.equal(ask("flatten([list, [later]])[0]"), '"a"');
  assert.equal(ask("flatten([any])"), "any type");
  assert.equal(ask('coalesce(later, "b")'), "string");
  assert.equal(ask('coalesce("b", later)'), '"b"');
  assert.equal(ask('formatlist("%s!", list)[0]'), '"a!"');
  assert.equal(ask('format("%s!", later)'), "string");
  assert.equal(ask('join(",", list)'), "string");
  assert.equal(ask("jsonencode(list)"), "string");
  assert.equal(ask("try(later, 1)"), "any type");
  assert.equal(ask("can(later)"), "bool");
  assert.equal(ask('zipmap(["a", "b"], list).a'), '"a"');
  assert.equal(ask("values(object)[0]"), "number");
  assert.equal(ask("alltrue([any, false])"), "false");
});

test("values of other services are unknown until they are fetched", () => {
  const requests: ForeignRequest[] = [];
  const expression =
    '[consul_key("k"), vault("/secret/data/a", "b"), aws_secretsmanager("s", "k"), aws_secretsmanager("s", null), aws_secretsmanager_raw("s")]';
  const first = evaluateText(expression, {
    context: {
      foreignValues: {
        get(request) {
          requests.push(request);
          return undefined;
        },
      },
    },
  });
  assert.equal((first.content as readonly HclValue[]).filter(isKnown).length, 0);
  assert.deepEqual(requests, [
    { service: "consul", key: "k" },
    { service: "vault", path: "/secret/data/a", key: "b" },
    { service: "secretsmanager", secretId: "s", key: "k" },
    { service: "secretsmanager", secretId: "s" },
    { service: "secretsmanager", secretId: "s", isRaw: true },
  ]);
  const known = { foreignValues: { get: () => "value" } };
  assert.equal(answer('upper(consul_key("k"))', known), '"VALUE"');
  const failing = {
    foreignValues: {
      get() {
        throw new ForeignValueError("Cannot get it", { hint: "Try again" });
      },
    },
  };
  assert.equal(answer('consul_key("k")', failing), 'Cannot call "consul_key": Cannot get it');
  assert.equal(answer('try(consul_key("k"), "none")', failing), '"none"');
});

test("YAML that is written is read as the same value again", () => {
  const texts = [
    "",
    " ",
    "a\nb",
    "a\n",
    "\n",
    " a\nb ",
    "a\r\nb",
    "\t",
    "é😀\u2028",
    "yes",
    "1",
    "a: b",
    "- x",
    "x".repeat(300),
  ];
  const value = objectValue([
    ...texts.map((text, index): [string, HclValue] => [`k${index}`, stringValue(text)]),
    ["long", stringValue("many words and  two spaces ".repeat(20))],
    ["nested", tupleValue([tupleValue([stringValue("word ".repeat(40))]), objectValue([["a", tupleValue([])]])])],
  ]);
  const variables = new Map([["text", stringValue(encodeYaml(value))]]);
  assert.equal(toJson(evaluateText("yamldecode(text)", { variables })), toJson(value));
});
