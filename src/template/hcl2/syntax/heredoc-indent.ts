import { leadingSpaceEnd } from "./characters.ts";
import type { TemplateText } from "./template-text.ts";

/**
 * Removes the indent that all lines of a `<<-` heredoc have. It is counted in what the file says, not in what comes of it:
 * a value that begins with spaces changes nothing. Blank lines do not count, nor does the line of the end marker.
 *
 * @param pieces in order; each text is at most a line. `undefined` is a sequence.
 */
export function removeIndent(pieces: readonly (TemplateText | undefined)[]): void {
  const starts: TemplateText[] = [];
  let indent = Number.POSITIVE_INFINITY;
  let isLineStart = true;
  for (const piece of pieces) {
    if (isLineStart) {
      if (piece === undefined) indent = 0;
      else if (!isBlankLine(piece.text)) {
        starts.push(piece);
        indent = Math.min(indent, indentOf(piece.text));
      }
    }
    isLineStart = piece?.text.endsWith("\n") ?? false;
  }
  for (const start of starts) start.dropStart(indent);
}

function isBlankLine(text: string): boolean {
  return text.endsWith("\n") && leadingSpaceEnd(text) === text.length;
}

/** In characters, all of which are one code unit: no space is a pair of surrogates. */
function indentOf(text: string): number {
  return leadingSpaceEnd(text);
}
