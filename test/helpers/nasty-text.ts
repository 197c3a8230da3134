// Texts that a shell, a template, a path or XML would read as something else than text.

export interface NastyTextOptions {
  /** Not in file names: they have no "/". */
  readonly isFileName?: boolean;
  readonly lengthMax?: number;
}

/** @param canary a path that exists afterwards if any of the texts was run as a command. */
export function nastyText(random: () => number, canary: string, options: NastyTextOptions = {}): string {
  const { isFileName = false, lengthMax = 90 } = options;
  const pieces = isFileName ? PIECES.filter((piece) => !piece.includes("/")) : [...PIECES, ...commandsThat(canary)];
  let text = "";
  for (let count = 1 + Math.floor(random() * 8); count > 0; count--) {
    const piece = pieces[Math.floor(random() * pieces.length)] ?? "";
    if (Buffer.byteLength(text + piece) <= lengthMax) text += piece;
  }
  return isFileName && /^\.{0,2}$/.test(text) ? "name" : text;
}

/** Braces mean something in a template: this is how they are written to mean nothing. */
export function inTemplate(text: string): string {
  return text.replaceAll("{{", "{{`{{`}}");
}

/** As the value of a user variable, which is evaluated, and again where it is used. */
export function inVariable(text: string): string {
  return inTemplate(text).replaceAll("{{", '{{"{{"}}');
}

const PIECES = [
  ...[
    "$HOME",
    "$(id)",
    "`id`",
    "${PATH}",
    "$",
    "$$",
    "$1",
    "$?",
    "!!",
    "~",
    "*",
    "?",
    "[a-z]",
    "{a,b}",
    "#",
    "%s",
    "%n",
  ],
  ...["'", '"', "''", "\\", "\\n", "\\'", "\\\\", "`", " ", "  ", "\t", "\n", "\n\n", "\r", ";", "&", "|", ">", "<"],
  ...["(", ")", "{{", "}}", "{{`", "{", "-", "--", "-rf", "=", "+", ",", ":", "@", "^", "&amp;", "<b>", "]]>"],
  ...["a", "B c", "true", "0", "é", "日本", "🦊", "e\u0301", "\u202e", "\u2028", "/", "/etc/passwd", "../..", "//"],
];

function commandsThat(canary: string): string[] {
  return [
    `$(touch ${canary})`,
    `\`touch ${canary}\``,
    `;touch ${canary};`,
    `\ntouch ${canary}\n`,
    `'; touch ${canary}; '`,
  ];
}
