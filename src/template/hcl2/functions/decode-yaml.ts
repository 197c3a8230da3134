// YAML as go-cty-yaml reads it: what plain scalars mean is YAML 1.1's (yes, on, times), with few exceptions.
import type { Alias, Document, Node, Pair, Scalar, YAMLMap, YAMLSeq } from "yaml";
import { formatTimestamp, parseTimestamp } from "../../go-time/timestamp.ts";
import { boolValue, nullValue, numberValue, objectValue, stringValue, tupleValue } from "../values/construct.ts";
import { entriesOf } from "../values/contents.ts";
import { ConversionError, describeType } from "../values/conversion-error.ts";
import { convert } from "../values/convert.ts";
import { parseRational } from "../values/rational.ts";
import { DYNAMIC, type HclValue, STRING } from "../values/value.ts";
import { loadYaml } from "./load-package.ts";
import { YamlError } from "./yaml-error.ts";

/** @throws {YamlError} */
export function decodeYaml(text: string): HclValue {
  const yaml = loadYaml();
  try {
    // Scalars stay texts: what they mean is decided here.
    const documents = yaml.parseAllDocuments(text, { schema: "failsafe", uniqueKeys: false, logLevel: "silent" });
    const [document] = documents;
    if (document === undefined) throw new YamlError("there is no document in it");
    for (const { errors } of documents) {
      const [error] = errors;
      if (error !== undefined) throw new YamlError(clause(error.message));
    }
    if (documents.length > 1) throw new YamlError("there is more than one document in it");
    return new Decoder(yaml, document).decode(document.contents);
  } catch (error) {
    if (error instanceof RangeError) throw new YamlError("it is nested too deeply");
    throw error;
  }
}

/** The first line: what follows quotes the text. */
function clause(message: string): string {
  const [first = ""] = message.split("\n");
  return `this is no YAML: ${first.replace(/:$/, "")}`;
}

class Decoder {
  readonly #yaml: typeof import("yaml");
  readonly #document: Document.Parsed;
  /** An alias is the value of its anchor, and not another one of the same size. */
  readonly #decoded = new Map<unknown, HclValue | "begun">();

  constructor(yaml: typeof import("yaml"), document: Document.Parsed) {
    this.#yaml = yaml;
    this.#document = document;
  }

  decode(node: unknown): HclValue {
    if (node === null || node === undefined) return nullValue(DYNAMIC);
    if (this.#yaml.isAlias(node)) return this.#alias(node);
    const known = this.#decoded.get(node);
    if (known === "begun") throw new YamlError("an anchor is used inside its own definition");
    if (known !== undefined) return known;
    this.#decoded.set(node, "begun");
    const value = this.#decodeNode(node as Node);
    this.#decoded.set(node, value);
    return value;
  }

  #decodeNode(node: Node): HclValue {
    if (this.#yaml.isMap(node)) return this.#mapping(node);
    if (this.#yaml.isSeq(node)) return this.#sequence(node);
    return scalarValue(node as Scalar);
  }

  #alias(alias: Alias): HclValue {
    const node = alias.resolve(this.#document);
    if (node === undefined) throw new YamlError(`there is no anchor "${alias.source}" before its alias`);
    return this.decode(node);
  }

  #sequence({ items, tag }: YAMLSeq): HclValue {
    checkTag(tag, "seq");
    return tupleValue(items.map((item) => this.decode(item)));
  }

  #mapping({ items, tag }: YAMLMap): HclValue {
    checkTag(tag, "map");
    const entries = new Map<string, HclValue>();
    for (const { key, value } of items as readonly Pair[]) {
      if (!this.#yaml.isScalar(key) && key !== null) throw new YamlError("only texts can be keys");
      if (isMergeKey(key)) {
        for (const [name, merged] of this.#merged(value)) entries.set(name, merged);
      } else entries.set(keyText(key), this.decode(value));
    }
    return objectValue(entries);
  }

  /** `<<: *defaults`. What comes later replaces what is there, as in go-cty-yaml. */
  #merged(node: unknown): ReadonlyMap<string, HclValue> {
    const value = this.decode(node);
    if (value.type.kind === "object" && value.content !== null) return entriesOf(value);
    throw new YamlError(`"<<" merges a mapping, not ${describeType(value.type)}`);
  }
}

function isMergeKey(key: Scalar | null): boolean {
  return key?.value === "<<" && key.type === "PLAIN" && key.tag === undefined;
}

function keyText(key: Scalar | null): string {
  const value = key === null ? nullValue(DYNAMIC) : scalarValue(key);
  if (value.content === null) throw new YamlError("null is no key");
  try {
    return String(convert(value, STRING).content);
  } catch (error) {
    if (error instanceof ConversionError) throw new YamlError("only texts can be keys");
    throw error;
  }
}

const TAG_PREFIX = "tag:yaml.org,2002:";

function checkTag(tag: string | undefined, wanted: "seq" | "map"): void {
  if (tag !== undefined && tag !== TAG_PREFIX + wanted) throw new YamlError(`the tag ${tag} is not supported here`);
}

function scalarValue({ value, source, type, tag }: Scalar): HclValue {
  // The source: of a tag that the package knows, the value is more than a text.
  const text = source ?? String(value ?? "");
  const short = tag?.startsWith(TAG_PREFIX) ? tag.slice(TAG_PREFIX.length) : tag;
  const isPlain = type === undefined || type === "PLAIN";
  switch (short) {
    case undefined:
      return isPlain ? plainValue(text) : stringValue(text);
    case "str":
      return stringValue(text);
    case "binary":
      if (!isBase64(text)) throw notA(text, "base64");
      return stringValue(text);
    // What is quoted stays a text, whatever the tag says.
    case "null":
      return isPlain ? nullValue(DYNAMIC) : stringValue(text);
    case "bool":
      return isPlain ? (boolOf(text) ?? fail(text, "a bool")) : stringValue(text);
    case "int":
    case "float":
      return isPlain ? (numberOf(text) ?? fail(text, "a number")) : stringValue(text);
    case "timestamp":
      return isPlain ? (timeOf(text) ?? fail(text, "a time")) : stringValue(text);
    default:
      throw new YamlError(`the tag ${tag} is not supported`);
  }
}

/** As in Go, with line ends anywhere. */
function isBase64(text: string): boolean {
  const letters = text.replaceAll(/[\r\n]/g, "");
  return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(letters);
}

function plainValue(text: string): HclValue {
  if (/^(?:|~|null|Null|NULL)$/.test(text)) return nullValue(DYNAMIC);
  if (/^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$/.test(text)) throw new YamlError(`${text} is no finite number`);
  const typed = boolOf(text) ?? timeOf(text) ?? (/^[-+.\d]/.test(text) ? numberOf(text) : undefined);
  return typed ?? stringValue(text);
}

function boolOf(text: string): HclValue | undefined {
  if (/^(?:y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/.test(text)) return boolValue(true);
  if (/^(?:n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$/.test(text)) return boolValue(false);
  return undefined;
}

function numberOf(text: string): HclValue | undefined {
  const digits = text.replaceAll("_", "");
  const [, sign, binary] = /^(-?)0b([01]+)$/.exec(digits) ?? [];
  if (binary !== undefined) {
    const magnitude = BigInt(`0b${binary}`);
    return numberValue(sign === "-" ? -magnitude : magnitude);
  }
  const number = parseRational(digits);
  return number === undefined ? undefined : numberValue(number);
}

/** Times and dates are texts of RFC 3339. */
function timeOf(text: string): HclValue | undefined {
  const match = /^(\d{4})-(\d\d?)-(\d\d?)(?:([Tt ])(\d\d?):(\d\d?):(\d\d?(?:[.,]\d+)?)(Z|[-+]\d\d:\d\d)?)?$/.exec(text);
  if (match === null) return undefined;
  const [, year, month = "", day = "", separator, hour = "0", minute = "0", second = "0", zone] = match;
  // A space goes without a zone, and a T with one.
  if (separator !== undefined && (separator === " ") !== (zone === undefined)) return undefined;
  const [whole = "", fraction = ""] = second.split(/[.,]/);
  const two = (part: string) => part.padStart(2, "0");
  const clock = `${two(hour)}:${two(minute)}:${two(whole)}${fraction === "" ? "" : `.${fraction}`}`;
  const time = parseTimestamp(`${year}-${two(month)}-${two(day)}T${clock}${zone ?? "Z"}`);
  return "unixNs" in time ? stringValue(formatTimestamp(time)) : undefined;
}

function fail(text: string, what: string): never {
  throw notA(text, what);
}

function notA(text: string, what: string): YamlError {
  return new YamlError(`${JSON.stringify(text)} is not ${what}`);
}
