// The parts of a verb: flags, width, precision and the argument they are for.

/** `%[2]+08.3f` */
export interface Directive {
  readonly verb: string;
  readonly flags: Flags;
  /** The argument's index, or that there is none. */
  readonly argument: number | "bad index" | "missing";
  /** What is wrong with a `*`, told before the value. */
  readonly complaints: string;
}

export interface Flags {
  plus: boolean;
  minus: boolean;
  sharp: boolean;
  space: boolean;
  zero: boolean;
  width: number | undefined;
  precision: number | undefined;
}

export function noFlags(): Flags {
  return { plus: false, minus: false, sharp: false, space: false, zero: false, width: undefined, precision: undefined };
}

// Go's limit of widths and precisions, of which it looks at all digits but the last.
const NUMBER_MAX = 1_000_000;
// Ours: nobody wants more, and a format may have many.
const SIZE_MAX = 100_000;

/** Reads the directives of a format one after the other, and keeps count of the arguments. */
export class DirectiveReader {
  readonly #format: string;
  readonly #arguments: readonly unknown[];
  #position = 0;
  #argument = 0;
  #isIndexGood = true;
  #isAfterIndex = false;
  /** Whether an index was given anywhere: then nobody misses what is left over. */
  isReordered = false;

  constructor(format: string, values: readonly unknown[]) {
    this.#format = format;
    this.#arguments = values;
  }

  /** How many arguments have been used. */
  get argumentCount(): number {
    return this.#argument;
  }

  /** The text before the next `%`, or all that is left. */
  text(): string {
    const percent = this.#format.indexOf("%", this.#position);
    const end = percent === -1 ? this.#format.length : percent;
    const text = this.#format.slice(this.#position, end);
    this.#position = end;
    return text;
  }

  get isAtEnd(): boolean {
    return this.#position >= this.#format.length;
  }

  /** The directive at the `%`; its verb is empty if the format ends too early. */
  directive(): Directive {
    this.#position++;
    this.#isIndexGood = true;
    this.#isAfterIndex = false;
    const flags = this.#flags();
    this.#index();
    let complaints = this.#width(flags);
    complaints += this.#precision(flags);
    if (!this.#isAfterIndex) this.#index();
    const [verb = ""] = this.#format.slice(this.#position, this.#position + 2);
    this.#position += verb.length;
    return { verb, flags, argument: this.#argumentOf(verb), complaints };
  }

  #argumentOf(verb: string): Directive["argument"] {
    if (verb === "%" || verb === "") return "missing";
    if (!this.#isIndexGood) return "bad index";
    return this.#argument >= this.#arguments.length ? "missing" : this.#argument++;
  }

  #flags(): Flags {
    const flags = noFlags();
    for (; ; this.#position++) {
      switch (this.#format[this.#position]) {
        case "#":
          flags.sharp = true;
          break;
        case "0":
          // Zeros stand only on the left.
          flags.zero = !flags.minus;
          break;
        case "+":
          flags.plus = true;
          break;
        case "-":
          flags.minus = true;
          flags.zero = false;
          break;
        case " ":
          flags.space = true;
          break;
        default:
          return flags;
      }
    }
  }

  #width(flags: Flags): string {
    if (this.#format[this.#position] === "*") {
      this.#position++;
      const width = this.#starred();
      if (width === undefined) return "%!(BADWIDTH)";
      flags.width = Math.abs(width);
      if (width < 0) {
        flags.minus = true;
        flags.zero = false;
      }
      return "";
    }
    flags.width = this.#number();
    if (this.#isAfterIndex && flags.width !== undefined) this.#isIndexGood = false;
    return "";
  }

  #precision(flags: Flags): string {
    if (this.#format[this.#position] !== ".") return "";
    this.#position++;
    if (this.#isAfterIndex) this.#isIndexGood = false;
    this.#index();
    if (this.#format[this.#position] === "*") {
      this.#position++;
      const precision = this.#starred();
      if (precision === undefined || precision < 0) return "%!(BADPREC)";
      flags.precision = precision;
      return "";
    }
    flags.precision = this.#number() ?? 0;
    return "";
  }

  /** The value of a `*`. */
  #starred(): number | undefined {
    this.#isAfterIndex = false;
    if (this.#argument >= this.#arguments.length) return undefined;
    const value = this.#arguments[this.#argument++];
    if (typeof value !== "bigint") return undefined;
    return value >= -NUMBER_MAX && value <= NUMBER_MAX ? sizeOf(Number(value)) : undefined;
  }

  #number(): number | undefined {
    const [digits = ""] = /^\d*/.exec(this.#format.slice(this.#position)) ?? [];
    if (digits === "") return undefined;
    if (Number(digits.slice(0, -1)) > NUMBER_MAX) {
      this.#position = this.#format.length;
      return undefined;
    }
    this.#position += digits.length;
    return sizeOf(Number(digits));
  }

  /** `[2]` */
  #index(): void {
    this.#isAfterIndex = false;
    if (this.#format[this.#position] !== "[") return;
    this.isReordered = true;
    const close = this.#format.indexOf("]", this.#position);
    if (close === -1 || this.#format.length - this.#position < 3) {
      this.#isIndexGood = false;
      this.#position++;
      return;
    }
    const text = this.#format.slice(this.#position + 1, close);
    this.#position = close + 1;
    const index = Number(text) - 1;
    if (!/^\d+$/.test(text)) {
      this.#isIndexGood = false;
    } else if (index >= 0 && index < this.#arguments.length && index < NUMBER_MAX) {
      this.#argument = index;
      this.#isAfterIndex = true;
    } else {
      this.#isIndexGood = false;
      this.#isAfterIndex = true;
    }
  }
}

function sizeOf(number: number): number {
  if (Math.abs(number) <= SIZE_MAX) return number;
  throw new RangeError(`A width or precision of ${number} is more than ${SIZE_MAX}`);
}
