/** What stands between the `%` and the verb of a printf format. */
export interface Directive {
  /** `#` */
  readonly isAlternate: boolean;
  /** `0` */
  readonly isZeroPadded: boolean;
  /** `-` */
  readonly isLeftAligned: boolean;
  /** `+` */
  readonly hasPlus: boolean;
  /** A space: room for the sign. */
  readonly hasSpace: boolean;
  readonly width: number | undefined;
  readonly precision: number | undefined;
}

export const PLAIN: Directive = {
  isAlternate: false,
  isZeroPadded: false,
  isLeftAligned: false,
  hasPlus: false,
  hasSpace: false,
  width: undefined,
  precision: undefined,
};

/** What stands before a number that is not negative. */
export function signOf(isNegative: boolean, { hasPlus, hasSpace }: Directive): string {
  if (isNegative) return "-";
  if (hasPlus) return "+";
  return hasSpace ? " " : "";
}

/** Fills up to the width with spaces. @param length of `text` as the width counts it. */
export function pad(text: string, { width = 0, isLeftAligned }: Directive, length = text.length): string {
  const fill = " ".repeat(Math.max(0, width - length));
  return isLeftAligned ? text + fill : fill + text;
}

/** The same with zeros between the sign and the digits where the directive says so. */
export function padNumber(sign: string, digits: string, directive: Directive): string {
  const { width = 0, isZeroPadded, isLeftAligned } = directive;
  if (!isZeroPadded || isLeftAligned) return pad(sign + digits, directive);
  return sign + digits.padStart(width - sign.length, "0");
}
