/** Bytes or a text that an encoding cannot have. The message is a clause. */
export class EncodingError extends Error {
  override readonly name = "EncodingError";
}

/** Standard base64 with its padding; line ends are passed over, as Go does. @throws {EncodingError} */
export function decodeBase64(text: string): Buffer {
  const compact = text.replace(/[\r\n]/g, "");
  const wrong = /[^A-Za-z0-9+/=]|=(?=[^=])|===/.exec(compact);
  if (wrong !== null)
    throw new EncodingError(`this is no base64: "${wrong[0]}" at position ${wrong.index} does not fit`);
  if (compact.length % 4 !== 0) throw new EncodingError("this is no base64: its length is no multiple of 4");
  return Buffer.from(compact, "base64");
}

/** @throws {EncodingError} */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new EncodingError("the bytes are no text in UTF-8");
  }
}

// Of what the web means by these names more than IANA does: it reads them as windows-1252.
const LATIN = /^(?:iso[-_]?8859-1|latin1|l1|iso_8859-1:1987|iso-ir-100|ibm819|cp819|csisolatin1)$/i;
const ASCII =
  /^(?:us-ascii|ascii|us|iso646-us|csascii|ibm367|cp367|ansi_x3\.4-19(?:68|86)|iso_646\.irv:1991|iso-ir-6)$/i;
const WINDOWS_1252 = /^(?:(?:x-)?cp-?1252|windows-1252|cswindows1252)$/i;
const UTF16 = /^(?:csutf16|utf-16)(be|le)?$/i;
// They have no bytes of their own, or change their meaning on the way.
const UNSUPPORTED = /^(?:x-user-defined|replacement|iso-2022-|hz-|csiso2022)/i;

/** An encoding by its name in IANA's registry. */
export interface TextEncoding {
  /** @throws {EncodingError} for a character that it does not have. */
  encode(text: string): Uint8Array;
  /** @throws {EncodingError} for bytes that are no character. */
  decode(bytes: Uint8Array): string;
}

/** `undefined` if there is none of that name. */
export function textEncoding(name: string): TextEncoding | undefined {
  if (LATIN.test(name)) return singleByte(0xff, name);
  if (ASCII.test(name)) return singleByte(0x7f, name);
  if (WINDOWS_1252.test(name)) return windows1252(name);
  const utf16 = UTF16.exec(name);
  if (utf16 !== null) return utf16Encoding(utf16[1]?.toLowerCase(), name);
  if (/^(?:utf-8|csutf8)$/i.test(name)) return { encode: (text) => Buffer.from(text), decode: decodeUtf8 };
  if (UNSUPPORTED.test(name)) return undefined;
  try {
    return tableEncoding(new TextDecoder(name, { fatal: true }), name);
  } catch {
    // It throws for a name that it does not know.
    return undefined;
  }
}

function singleByte(last: number, name: string): TextEncoding {
  return {
    encode: (text) =>
      Uint8Array.from(text, (character) => {
        const codePoint = character.codePointAt(0) ?? 0;
        if (codePoint > last) throw notIn(character, name);
        return codePoint;
      }),
    decode(bytes) {
      const wrong = bytes.find((byte) => byte > last);
      if (wrong !== undefined) throw undefinedIn(name);
      return Buffer.from(bytes).toString("latin1");
    },
  };
}

/** Node 20 decodes it as Latin 1: https://github.com/nodejs/node/issues/56542 */
function windows1252(name: string): TextEncoding {
  const special = "€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ";
  return {
    encode: (text) =>
      Uint8Array.from(text, (character) => {
        const index = special.indexOf(character);
        const codePoint = index < 0 ? (character.codePointAt(0) ?? 0) : 0x80 + index;
        if (codePoint > 0xff || (index < 0 && codePoint >= 0x80 && codePoint <= 0x9f)) throw notIn(character, name);
        return codePoint;
      }),
    decode: (bytes) => Array.from(bytes, (byte) => special[byte - 0x80] ?? String.fromCharCode(byte)).join(""),
  };
}

/** Without an order in its name: the high byte first, and a mark that says so. */
function utf16Encoding(order: string | undefined, name: string): TextEncoding {
  const isLittle = order === "le";
  const swapped = (bytes: Uint8Array) => (isLittle ? Buffer.from(bytes) : Buffer.from(bytes).swap16());
  return {
    encode: (text) => swapped(Buffer.from(order === undefined ? `\ufeff${text}` : text, "utf16le")),
    decode(bytes) {
      if (bytes.length % 2 !== 0) throw undefinedIn(name);
      const isMarkedLittle = order === undefined && bytes[0] === 0xff && bytes[1] === 0xfe;
      const text = (isMarkedLittle ? Buffer.from(bytes) : swapped(bytes)).toString("utf16le");
      const body = order === undefined ? text.replace(/^\ufeff/, "") : text;
      if (/\p{Surrogate}/u.test(body)) throw undefinedIn(name);
      return body;
    },
  };
}

/** Node only decodes these; what a character is encoded as is found out by decoding all bytes and pairs of bytes. */
function tableEncoding(decoder: InstanceType<typeof TextDecoder>, name: string): TextEncoding {
  const decodeAll = (bytes: Uint8Array): string => {
    try {
      return decoder.decode(bytes);
    } catch {
      throw undefinedIn(name);
    }
  };
  let table: ReadonlyMap<string, Uint8Array> | undefined;
  return {
    decode: decodeAll,
    encode(text) {
      table ??= bytesOfCharacters(decoder);
      const known = table;
      const pieces = Array.from(text, (character) => {
        const bytes = known.get(character);
        if (bytes === undefined) throw notIn(character, name);
        return bytes;
      });
      return Buffer.concat(pieces);
    },
  };
}

function bytesOfCharacters(decoder: InstanceType<typeof TextDecoder>): ReadonlyMap<string, Uint8Array> {
  const table = new Map<string, Uint8Array>();
  const learn = (bytes: Uint8Array): boolean => {
    try {
      const text = decoder.decode(bytes);
      if ([...text].length === 1 && !table.has(text)) table.set(text, bytes);
      return true;
    } catch {
      return false;
    }
  };
  const leads = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => !learn(Uint8Array.of(byte)));
  for (const lead of leads) for (let trail = 0; trail < 256; trail++) learn(Uint8Array.of(lead, trail));
  return table;
}

function notIn(character: string, name: string): EncodingError {
  return new EncodingError(`"${character}" is no character of ${name}`);
}

function undefinedIn(name: string): EncodingError {
  return new EncodingError(`the bytes are no text in ${name}`);
}
