/** The version of Packer whose templates amibake reads: `required_version` is judged by it. */
export const PACKER_VERSION = "1.16.0";

interface Version {
  /** At least three. */
  readonly numbers: readonly number[];
  /** How many numbers were written: `~> 1.2` differs from `~> 1.2.0`. */
  readonly written: number;
  readonly preRelease: string;
}

type Comparison = "=" | "!=" | ">" | "<" | ">=" | "<=" | "~>";

/** A part of a constraint that is none, such as `>> 1`. */
export class ConstraintError extends Error {
  override readonly name = "ConstraintError";
}

/**
 * Whether a version fits a constraint such as `>= 1.7.0, < 2.0.0` or `~> 1.8`: all of its parts must hold.
 *
 * @throws {ConstraintError} if a part is none.
 */
export function fitsConstraint(version: string, constraint: string): boolean {
  const actual = parseVersion(version);
  if (actual === undefined) throw new TypeError(`"${version}" is no version`);
  return constraint
    .split(",")
    .map(parsePart)
    .every(([comparison, wanted]) => fits(actual, comparison, wanted));
}

function parsePart(text: string): [Comparison, Version] {
  const [, comparison = "", number = ""] = /^\s*(=|!=|>=|<=|>|<|~>|)\s*(\S+)\s*$/.exec(text) ?? [];
  const version = parseVersion(number);
  if (version === undefined) throw new ConstraintError(`"${text.trim()}" is no constraint of a version`);
  return [(comparison || "=") as Comparison, version];
}

function parseVersion(text: string): Version | undefined {
  const [, dotted, preRelease = ""] =
    /^v?(\d{1,9}(?:\.\d{1,9})*)(?:-([0-9A-Za-z.~-]+))?(?:\+[0-9A-Za-z.~-]+)?$/.exec(text) ?? [];
  if (dotted === undefined) return undefined;
  const numbers = dotted.split(".").map(Number);
  return { numbers: [...numbers, 0, 0].slice(0, Math.max(3, numbers.length)), written: numbers.length, preRelease };
}

function fits(actual: Version, comparison: Comparison, wanted: Version): boolean {
  const order = compareVersions(actual, wanted);
  switch (comparison) {
    case "=":
      return order === 0;
    case "!=":
      return order !== 0;
    case ">":
      return order > 0;
    case "<":
      return order < 0;
    case ">=":
      return order >= 0;
    case "<=":
      return order <= 0;
    case "~>": {
      // All but the last number that was written stay; of "~> 1" there is no other.
      const fixed = Math.max(1, wanted.written - 1);
      const isFixed = wanted.numbers
        .slice(0, wanted.written === 1 ? 0 : fixed)
        .every((n, i) => actual.numbers[i] === n);
      return order >= 0 && isFixed && (wanted.preRelease === "" || actual.preRelease !== "");
    }
  }
}

function compareVersions(a: Version, b: Version): number {
  const length = Math.max(a.numbers.length, b.numbers.length);
  for (let index = 0; index < length; index++) {
    const difference = (a.numbers[index] ?? 0) - (b.numbers[index] ?? 0);
    if (difference !== 0) return difference;
  }
  if (a.preRelease === b.preRelease) return 0;
  // A version comes after what was released before it.
  if (a.preRelease === "" || b.preRelease === "") return a.preRelease === "" ? 1 : -1;
  return a.preRelease < b.preRelease ? -1 : 1;
}
