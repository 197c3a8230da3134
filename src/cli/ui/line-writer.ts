import type { Colours } from "./colours.ts";
import type { TextLine } from "./event-text.ts";
import { sanitise } from "./sanitise.ts";

type Paint = (text: string) => string;

/** Puts lines about builds into their printed form: `==> name: text`. */
export class LineWriter {
  readonly #colours: Colours;
  readonly #hasTimestamps: boolean;
  readonly #paints = new Map<string, Paint>();

  constructor(options: { colours: Colours; hasTimestamps: boolean }) {
    this.#colours = options.colours;
    this.#hasTimestamps = options.hasTimestamps;
  }

  /** @param options.isDimmed for what is done after a failure: the failure must stand out. */
  format(build: string, line: TextLine, time: Date, options: { isDimmed?: boolean } = {}): string[] {
    const texts = line.text.split("\n");
    return texts.map((text, index) => {
      const isHeading = line.level !== "detail" && index === 0;
      const prefix = `${isHeading ? "==>" : "   "} ${build}:`;
      return `${this.timestamp(time)}${this.#paint(build, line.level, prefix, text, options.isDimmed ?? false)}`;
    });
  }

  /** "2026-11-23T09:16:18Z: " if every line has its time, else nothing. */
  timestamp(time: Date): string {
    return this.#hasTimestamps ? `${time.toISOString().slice(0, 19)}Z: ` : "";
  }

  /** Each build has its own colour, by the order in which they appear. */
  paintOf(build: string): Paint {
    const { green, cyan, magenta, yellow, blue } = this.#colours;
    const paints = [green, cyan, magenta, yellow, blue];
    const paint = this.#paints.get(build) ?? paints[this.#paints.size % paints.length] ?? green;
    this.#paints.set(build, paint);
    return paint;
  }

  #paint(build: string, level: TextLine["level"], prefix: string, text: string, isDimmed: boolean): string {
    const body = this.#colours.isColorSupported ? text : sanitise(text);
    const line = body === "" ? prefix : `${prefix} ${body}`;
    if (level === "error") return this.#colours.red(line);
    if (level === "warning") return this.#colours.yellow(line);
    if (isDimmed) return this.#colours.dim(line);
    const painted = this.paintOf(build)(prefix);
    return body === "" ? painted : `${painted} ${level === "heading" ? this.#colours.bold(body) : body}`;
  }
}
