// YAML as go-cty-yaml writes it, byte for byte, by the rules of libyaml: block style, quoted texts, lines of 80 columns.
import { numberText } from "../values/number-text.ts";
import { type HclValue, UNKNOWN } from "../values/value.ts";

const INDENT = 2;
const COLUMNS = 80;

/** @param value wholly known. */
export function encodeYaml(value: HclValue): string {
  const { content } = value;
  const isPlain =
    content === null || typeof content === "boolean" || (typeof content === "object" && "numerator" in content);
  // The end of a plain scalar is marked where it is the whole document.
  return `${nodeText(value, { indent: 0, column: 0 }).replace(/^\n/, "")}\n${isPlain ? "...\n" : ""}`;
}

interface Place {
  /** Where the lines of a mapping or a sequence begin. */
  readonly indent: number;
  /** Where the text begins, in its first line. */
  readonly column: number;
}

/** A mapping or a sequence that is not empty begins with a line of its own. */
function nodeText({ content }: HclValue, place: Place): string {
  if (content === UNKNOWN) throw new TypeError("Cannot write what is not known");
  if (content === null) return "null";
  if (typeof content === "string") return scalarText(content, place);
  if (typeof content === "boolean") return String(content);
  if ("numerator" in content) return numberText(content);
  if (content instanceof Map) return mappingText([...(content as ReadonlyMap<string, HclValue>)], place);
  return sequenceText(content as readonly HclValue[], place);
}

function mappingText(entries: readonly (readonly [string, HclValue])[], { indent }: Place): string {
  if (entries.length === 0) return "{}";
  const margin = " ".repeat(indent);
  return entries
    .map(([key, value]) => {
      const start = `${margin}${quotedText(key, undefined)}:`;
      // A sequence in a mapping is as far right as its key.
      const isSequence = Array.isArray(value.content);
      const text = nodeText(value, { indent: isSequence ? indent : indent + INDENT, column: start.length + 1 });
      return `\n${start}${text.startsWith("\n") ? "" : " "}${text}`;
    })
    .join("");
}

function sequenceText(items: readonly HclValue[], { indent }: Place): string {
  if (items.length === 0) return "[]";
  const margin = " ".repeat(indent);
  return items
    .map((item) => {
      const text = nodeText(item, { indent: indent + INDENT, column: indent + INDENT });
      // What has lines of its own begins behind the dash.
      return `\n${margin}- ${text.startsWith("\n") ? text.trimStart() : text}`;
    })
    .join("");
}

function scalarText(text: string, place: Place): string {
  return text.includes("\n") && isLiteral(text) ? literalText(text, place) : quotedText(text, place);
}

/** What a literal block cannot have: characters that need an escape, and spaces that nobody would see. */
function isLiteral(text: string): boolean {
  return !/ \n| $/.test(text) && !Array.from(text).some((character) => character !== "\n" && mustEscape(character));
}

function literalText(text: string, { indent }: Place): string {
  const margin = " ".repeat(Math.max(indent, INDENT));
  const hint = /^[ \n]/.test(text) ? String(INDENT) : "";
  const chomping = text.endsWith("\n") ? (text === "\n" || text.endsWith("\n\n") ? "+" : "") : "-";
  const lines = text.replace(/\n$/, "").split("\n");
  return `|${hint}${chomping}\n${lines.map((line) => (line === "" ? "" : margin + line)).join("\n")}`;
}

/** @param place missing for a key, which is not folded. */
function quotedText(text: string, place: Place | undefined): string {
  const margin = " ".repeat(Math.max(place?.indent ?? 0, INDENT));
  const characters = Array.from(text);
  let column = (place?.column ?? 0) + 1;
  let wasSpace = false;
  let quoted = '"';
  for (const [index, character] of characters.entries()) {
    const isInside = index > 0 && index < characters.length - 1;
    if (character === " " && place !== undefined && !wasSpace && column > COLUMNS && isInside) {
      const isSpaceNext = characters[index + 1] === " ";
      quoted += `\n${margin}${isSpaceNext ? "\\" : ""}`;
      column = margin.length + (isSpaceNext ? 1 : 0);
    } else {
      const piece = mustEscape(character) || character === '"' || character === "\\" ? escaped(character) : character;
      quoted += piece;
      column += [...piece].length;
    }
    wasSpace = character === " ";
  }
  return `${quoted}"`;
}

function mustEscape(character: string): boolean {
  return !/^[\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]$/.test(character);
}

const SHORT: Readonly<Record<string, string>> = {
  "\0": "0",
  "\x07": "a",
  "\b": "b",
  "\t": "t",
  "\n": "n",
  "\v": "v",
  "\f": "f",
  "\r": "r",
  "\x1b": "e",
  '"': '"',
  "\\": "\\",
  "\x85": "N",
  "\u2028": "L",
  "\u2029": "P",
};

function escaped(character: string): string {
  const short = SHORT[character];
  if (short !== undefined) return `\\${short}`;
  const hex = (character.codePointAt(0) ?? 0).toString(16).toUpperCase();
  if (hex.length <= 2) return `\\x${hex.padStart(2, "0")}`;
  return hex.length <= 4 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}
