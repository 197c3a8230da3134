/** Go compares the bytes of UTF-8, which sort as code points do; JavaScript the units of UTF-16, which do not. */
export function compareText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
