// What html, js and urlquery of Go's text/template do.
import { isPrintable } from "../go-format/quote.ts";

const HTML: Readonly<Record<string, string>> = {
  "\0": "\ufffd",
  '"': "&#34;",
  "'": "&#39;",
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
};

export function escapeHtml(text: string): string {
  return text.replace(/[\0"'&<>]/g, (character) => HTML[character] ?? character);
}

const JS: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "'": "\\'",
  '"': '\\"',
  "<": "\\u003C",
  ">": "\\u003E",
  "&": "\\u0026",
  "=": "\\u003D",
};

export function escapeJs(text: string): string {
  return Array.from(text, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code === 0x7f || isPrintable(character)) return JS[character] ?? character;
    return `\\u${code.toString(16).toUpperCase().padStart(4, "0")}`;
  }).join("");
}

export function escapeQuery(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString())
    .replaceAll("%20", "+")
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
