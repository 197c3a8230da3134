// Text that others wrote (a provisioner, an image, AWS) must not be able to move
// the cursor, clear the screen, set the title or forge our own lines.

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
const COLOUR = /\x1b\[[0-9;]*m/g;

// CSI sequences, OSC and other strings up to their terminator, then single escapes.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
const ESCAPE_SEQUENCE = /\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)|\x1b[ -/]*[0-~]?/gs;

// Without tab. With C1, which some terminals take as escapes, and with the
// characters that reorder text for a reader.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;

/** Removes escape sequences and control characters; tabs stay. */
export function sanitise(text: string): string {
  return text.replace(ESCAPE_SEQUENCE, "").replace(CONTROL, "");
}

/** As `sanitise`, but colours stay, and end with the text. */
export function sanitiseKeepingColours(text: string): string {
  let result = "";
  let end = 0;
  for (const match of text.matchAll(COLOUR)) {
    result += sanitise(text.slice(end, match.index)) + match[0];
    end = match.index + match[0].length;
  }
  if (end === 0) return sanitise(text);
  return `${result}${sanitise(text.slice(end))}\x1b[0m`;
}

/** Shows control characters, each as one character: what stands behind it stays where it was. Tabs stay. */
export function visibleControls(text: string): string {
  return text.replace(CONTROL, (control) => {
    const code = control.charCodeAt(0);
    // Unicode's pictures of them: ␛ for escape.
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return code === 0x7f ? "\u2421" : "\ufffd";
  });
}
