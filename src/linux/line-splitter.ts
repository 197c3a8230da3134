/** A line longer than this comes in parts: output without line ends must not fill memory. */
const LINE_CHARS_MAX = 64 * 1024;

/** Cuts a byte stream into lines. Of a line overwritten by carriage returns, the last version is kept. */
export function lineSplitter(onLine: (line: string) => void) {
  const decoder = new TextDecoder();
  let rest = "";
  const emit = (line: string): void => {
    const text = line.endsWith("\r") ? line.slice(0, -1) : line;
    onLine(text.slice(text.lastIndexOf("\r") + 1));
  };
  const add = (text: string): void => {
    rest += text;
    if (rest.length <= LINE_CHARS_MAX) return;
    // What was overwritten is of no use any more; the last one may be the first half of a line end.
    const overwrite = rest.lastIndexOf("\r", rest.length - 2);
    if (overwrite >= 0) rest = rest.slice(overwrite + 1);
    for (; rest.length > LINE_CHARS_MAX; rest = rest.slice(LINE_CHARS_MAX)) onLine(rest.slice(0, LINE_CHARS_MAX));
  };
  const push = (text: string): void => {
    const [first = "", ...more] = text.split("\n");
    add(first);
    for (const line of more) {
      emit(rest);
      rest = "";
      add(line);
    }
  };
  return {
    push: (chunk: Buffer): void => push(decoder.decode(chunk, { stream: true })),
    end(): void {
      push(decoder.decode());
      if (rest !== "") emit(rest);
      rest = "";
    },
  };
}
