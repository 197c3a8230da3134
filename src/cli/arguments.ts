// Packer's command line is Go's: `-var x=1` and `--var x=1` are the same, and a
// boolean flag takes a value with "=" only (`-color=false`). Commander knows
// neither, so the arguments are put into its form first.
import { GO_BOOLEANS } from "../base/go-booleans.ts";
import { usageError } from "./usage-error.ts";

/** Names of long options, without dashes. */
export interface KnownOptions {
  readonly withValue: ReadonlySet<string>;
  readonly boolean: ReadonlySet<string>;
}

/** `-x`, `--xy`, `-xy=value`: the name and, if there is one, the value. */
const OPTION = /^--?([a-z][a-z0-9-]+)(?:=(.*))?$/s;

/**
 * Puts Packer's options into commander's form. What follows "--" and the values of options stay as they are.
 *
 * `-flag=false` becomes `--no-flag`.
 *
 * @throws {ToolError} if a boolean option has a value that is not one.
 */
export function rewriteOptions(argv: readonly string[], known: KnownOptions): string[] {
  const rewritten: string[] = [];
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index] ?? "";
    if (argument === "--") return [...rewritten, ...argv.slice(index)];
    const [, name, value] = OPTION.exec(argument) ?? [];
    if (name === undefined) {
      rewritten.push(argument);
    } else if (known.boolean.has(name) && value !== undefined) {
      rewritten.push(parseBoolean(name, value) ? `--${name}` : `--no-${name}`);
    } else {
      rewritten.push(`--${argument.replace(/^--?/, "")}`);
      const next = argv[index + 1];
      // The next argument is the value, even if it looks like an option: `-var -x=1` sets "-x".
      if (known.withValue.has(name) && value === undefined && next !== undefined) {
        rewritten.push(next);
        index++;
      }
    }
  }
  return rewritten;
}

function parseBoolean(name: string, text: string): boolean {
  const value = GO_BOOLEANS.get(text);
  if (value === undefined) throw usageError(`Cannot read "-${name}=${text}" as true or false`);
  return value;
}

/** Packer takes `-machine-readable` anywhere, even before the command. */
export function takeMachineReadable(argv: readonly string[]): { argv: string[]; isMachineReadable: boolean } {
  const rest = argv.filter((argument) => argument !== "-machine-readable" && argument !== "--machine-readable");
  return { argv: rest, isMachineReadable: rest.length < argv.length };
}
