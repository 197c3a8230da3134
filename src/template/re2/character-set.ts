/** The characters that stand at one place of a match. */
export interface CharacterSet {
  has(codePoint: number): boolean;
}

/** A part of a class: characters from one to another, or those of a Unicode property. */
export type SetItem =
  | { readonly first: number; readonly last: number }
  | { readonly property: string; readonly isNegated: boolean };

export function singleCharacter(codePoint: number, isCaseFolded: boolean): CharacterSet {
  if (isCaseFolded) return characterSet([{ first: codePoint, last: codePoint }], { isNegated: false, isCaseFolded });
  return { has: (other) => other === codePoint };
}

/**
 * JavaScript's own expressions tell whether one character is in the set, and fold its case by the rules that Go has. What
 * they have told is remembered.
 */
export function characterSet(
  items: readonly SetItem[],
  { isNegated, isCaseFolded }: { isNegated: boolean; isCaseFolded: boolean },
): CharacterSet {
  const flags = isCaseFolded ? "iu" : "u";
  const ranges = items.map(classSource).join("");
  const positive = ranges === "" ? undefined : new RegExp(`^[${ranges}]$`, flags);
  const negative = items.flatMap((item) =>
    "property" in item && item.isNegated ? [new RegExp(`^\\p{${item.property}}$`, flags)] : [],
  );
  const known = new Map<number, boolean>();
  return {
    has(codePoint) {
      let isIn = known.get(codePoint);
      if (isIn === undefined) {
        const character = String.fromCodePoint(codePoint);
        const isListed = positive?.test(character) === true || negative.some((one) => !one.test(character));
        isIn = isListed !== isNegated;
        known.set(codePoint, isIn);
      }
      return isIn;
    },
  };
}

function classSource(item: SetItem): string {
  if ("property" in item) return item.isNegated ? "" : `\\p{${item.property}}`;
  return `\\u{${item.first.toString(16)}}-\\u{${item.last.toString(16)}}`;
}

const CATEGORY = /^(?:C[cfos]?|L[ulmot]?|M[cen]?|N[dlo]?|P[cdefios]?|S[ckmo]?|Z[lps]?|Any)$/;

/** The property that Go calls so, as JavaScript calls it: a category or a script. `undefined` if there is none. */
export function unicodeProperty(name: string): string | undefined {
  if (CATEGORY.test(name)) return name;
  if (!/^[A-Z][A-Za-z_]+$/.test(name)) return undefined;
  try {
    new RegExp(`\\p{Script=${name}}`, "u");
  } catch {
    // It knows the scripts' names, and throws for another.
    return undefined;
  }
  return `Script=${name}`;
}

const range = (text: string): readonly SetItem[] =>
  [...text.matchAll(/(.)-(.)|(.)/gsu)].map(([, first, last, single]) => ({
    first: (first ?? single ?? "").codePointAt(0) ?? 0,
    last: (last ?? single ?? "").codePointAt(0) ?? 0,
  }));

/** `\d`, `\s` and `\w` are of ASCII. */
export const PERL_CLASSES: Readonly<Record<string, readonly SetItem[]>> = {
  d: range("0-9"),
  s: range("\t\n\f\r "),
  w: range("0-9A-Za-z_"),
};

/** `[[:alpha:]]` */
export const POSIX_CLASSES: Readonly<Record<string, readonly SetItem[]>> = {
  alnum: range("0-9A-Za-z"),
  alpha: range("A-Za-z"),
  ascii: range("\x00-\x7f"),
  blank: range("\t "),
  cntrl: range("\x00-\x1f\x7f"),
  digit: range("0-9"),
  graph: range("!-~"),
  lower: range("a-z"),
  print: range(" -~"),
  punct: range("!-/:-@[-`{-~"),
  space: range("\t-\r "),
  upper: range("A-Z"),
  word: range("0-9A-Za-z_"),
  xdigit: range("0-9A-Fa-f"),
};

/** What is not in it. */
export function complement(items: readonly SetItem[]): readonly SetItem[] {
  const ranges = items.flatMap((item) => ("first" in item ? [item] : [])).sort((a, b) => a.first - b.first);
  const gaps: SetItem[] = [];
  let next = 0;
  for (const { first, last } of ranges) {
    if (first > next) gaps.push({ first: next, last: first - 1 });
    next = Math.max(next, last + 1);
  }
  if (next <= 0x10ffff) gaps.push({ first: next, last: 0x10ffff });
  return gaps;
}
