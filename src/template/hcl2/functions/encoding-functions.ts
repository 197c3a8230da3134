import { loadZlib } from "../../../base/load-builtin.ts";
import { listValue, objectValue, stringValue } from "../values/construct.ts";
import { fromJson, JsonTextError, toJson } from "../values/json.ts";
import { DYNAMIC, type HclType, type HclValue, STRING } from "../values/value.ts";
import {
  anyValue,
  argumentAt,
  badArgument,
  blame,
  type HclFunctionGroup,
  textAt,
  textFunction,
  textParameter,
} from "./arguments.ts";
import { CsvError, parseCsv } from "./csv.ts";
import { decodeYaml } from "./decode-yaml.ts";
import { encodeYaml } from "./encode-yaml.ts";
import { decodeBase64, decodeUtf8, EncodingError, textEncoding } from "./text-encoding.ts";
import { YamlError } from "./yaml-error.ts";

const anything = { ...anyValue("value"), allowsNull: true };

export const ENCODING_FUNCTIONS: HclFunctionGroup = {
  base64decode: textFunction(
    {
      usage: 'base64decode("SGVsbG8=")',
      summary: "The text that base64 encodes, which must be UTF-8",
      parameters: ["str"],
    },
    (text = "") => blame(EncodingError, 0, () => decodeUtf8(decodeBase64(text))),
  ),
  base64encode: textFunction(
    { usage: 'base64encode("Hello")', summary: "The text, as UTF-8, in base64", parameters: ["str"] },
    (text = "") => Buffer.from(text).toString("base64"),
  ),
  base64gzip: textFunction(
    // Other bytes than Go's, as its compressor makes other choices: they give the same text.
    { usage: 'base64gzip("Hello")', summary: "The text, compressed by gzip, in base64", parameters: ["str"] },
    (text = "") => loadZlib().gzipSync(text).toString("base64"),
  ),
  csvdecode: {
    usage: 'csvdecode(file("hosts.csv"))',
    summary: "A list of an object for each line of comma-separated values; the first line has the names",
    parameters: [textParameter("str")],
    returnType: DYNAMIC,
    call: (args) => csvValue(blame(CsvError, 0, () => parseCsv(textAt(args, 0)))),
  },
  jsondecode: {
    usage: 'jsondecode(file("settings.json"))',
    summary: "The value that JSON describes",
    parameters: [textParameter("str")],
    returnType: DYNAMIC,
    call: (args) => blame(JsonTextError, 0, () => fromJson(textAt(args, 0))),
  },
  jsonencode: {
    usage: "jsonencode({ a = [1, true] })",
    summary: "The value as JSON, without spaces",
    parameters: [anything],
    returnType: STRING,
    call: (args) => stringValue(toJson(argumentAt(args, 0))),
  },
  textdecodebase64: textFunction(
    {
      usage: 'textdecodebase64("SABpAA==", "UTF-16LE")',
      summary: "The text that base64 has in an encoding by its IANA name",
      parameters: ["source", "encoding"],
    },
    (text = "", name = "") => blame(EncodingError, 0, () => encodingOf(name).decode(decodeBase64(text))),
  ),
  textencodebase64: textFunction(
    {
      usage: 'textencodebase64("Hi", "UTF-16LE")',
      summary: "The text in an encoding by its IANA name, in base64",
      parameters: ["string", "encoding"],
    },
    (text = "", name = "") =>
      blame(EncodingError, 0, () => Buffer.from(encodingOf(name).encode(text)).toString("base64")),
  ),
  urlencode: textFunction(
    {
      usage: 'urlencode("a b&c")',
      summary: "The text as part of a query of a URL; a space is a +",
      parameters: ["str"],
    },
    (text = "") =>
      encodeURIComponent(Buffer.from(text).toString())
        .replace(/%20/g, "+")
        .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`),
  ),
  yamldecode: {
    usage: 'yamldecode(file("settings.yaml"))',
    summary: "The value that YAML describes",
    parameters: [textParameter("src")],
    returnType: DYNAMIC,
    call: (args) => blame(YamlError, 0, () => decodeYaml(textAt(args, 0))),
  },
  yamlencode: {
    usage: 'yamlencode({ a = [1, "b"] })',
    summary: "The value as YAML, with quoted texts",
    parameters: [anything],
    returnType: STRING,
    call: (args) => stringValue(encodeYaml(argumentAt(args, 0))),
  },
};

function encodingOf(name: string) {
  const encoding = textEncoding(name);
  if (encoding !== undefined) return encoding;
  throw badArgument(
    1,
    `there is no encoding "${name}"`,
    'Use a name of the IANA, such as "UTF-16LE" or "windows-1252"',
  );
}

function csvValue([names, ...records]: readonly (readonly string[])[]): HclValue {
  if (names === undefined) throw badArgument(0, "there is no line with the names of the columns");
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw badArgument(0, `there are two columns "${twice}"`);
  const type: HclType = { kind: "object", attributes: new Map(names.toSorted().map((name) => [name, STRING])) };
  return listValue(
    type,
    records.map((record) => objectValue(names.map((name, index) => [name, stringValue(record[index] ?? "")]))),
  );
}
