// A secret in base64 has no text of its own: how it is written depends on what stands before and after it.

/** One way in which a secret is written. */
export interface SecretForm {
  /** The source of a regular expression. */
  readonly pattern: string;
  /** How many characters it stands for, at least. */
  readonly length: number;
}

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
// Shorter ones would be found in other words.
const BASE64_LENGTH_MIN = 6;
/** As base64(1), and as PEM and OpenSSL break their lines. */
const BASE64_LINE_LENGTHS = [76, 64];

/** The secret in base64, wherever it stands in what was encoded. */
export function base64Forms(text: string): SecretForm[] {
  const bytes = Buffer.from(text);
  return [0, 1, 2].flatMap((before) => {
    const all = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    // A character stands for 6 bits. Those of the first and the last may be the neighbours' in part.
    const startBits = before * 8;
    const endBits = startBits + bytes.length * 8;
    const whole = all.slice(Math.ceil(startBits / 6), Math.floor(endBits / 6));
    const edges = {
      first: charactersLike(all[Math.floor(startBits / 6)], startBits % 6 === 0 ? 0 : 0b111111 >> (startBits % 6)),
      last: charactersLike(all[Math.floor(endBits / 6)], 0b111111 & ~(0b111111 >> (endBits % 6))),
    };
    const lines = BASE64_LINE_LENGTHS.flatMap((length) => (before === 0 ? linesOf(whole, length) : []));
    return [base64Form(whole, edges), ...lines.map((line) => base64Form(line, { ...edges, first: "" }))].flat();
  });
}

/**
 * The characters between the edges, and those at the edges. Where there are few, the edges are needed to know the secret by them.
 *
 * @param edges classes of characters, of a regular expression.
 */
function base64Form(whole: string, { first, last }: { first: string; last: string }): SecretForm[] {
  const isLong = whole.length >= BASE64_LENGTH_MIN;
  const edges = [first, last].map((edge) => (edge === "" || !isLong ? edge : `${edge}?`));
  const length = whole.length + (isLong ? 0 : edges.filter(Boolean).length);
  if (length < BASE64_LENGTH_MIN) return [];
  return [whole, whole.replaceAll("+", "-").replaceAll("/", "_")].map((middle) => ({
    pattern: `${edges[0]}${escapeRegExp(middle)}${edges[1]}`,
    length,
  }));
}

/** The class of all characters that have the bits of `mask` in common with one; "" for no bits. */
function charactersLike(character: string | undefined, mask: number): string {
  if (character === undefined || mask === 0) return "";
  const bits = BASE64.indexOf(character) & mask;
  const alike = [...BASE64].filter((_, value) => (value & mask) === bits);
  // Of the alphabet for URLs too.
  const twins = alike.flatMap((one) => (one === "+" ? ["-"] : one === "/" ? ["_"] : []));
  return `[${[...alike, ...twins].map((one) => (one === "-" ? "\\-" : one)).join("")}]`;
}

function linesOf(text: string, length: number): string[] {
  return text.length <= length ? [] : (text.match(new RegExp(`.{1,${length}}`, "g")) ?? []);
}

export function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
