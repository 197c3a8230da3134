/** Quotes one word for a POSIX shell, so that it arrives exactly as written. */
export function shellQuote(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The argument vector as a line that can be pasted into a shell. */
export function shellLine(argv: readonly string[]): string {
  return argv.map(shellQuote).join(" ");
}
