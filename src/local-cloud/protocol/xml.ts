/** What an answer can hold. A list becomes `item` elements, `undefined` is left out. */
export type XmlValue = string | number | boolean | undefined | readonly XmlValue[] | XmlObject;
export interface XmlObject {
  readonly [name: string]: XmlValue;
}

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** The answer to an EC2 action: `requestId` inside the result, lists of `item`. */
export function ec2Answer(action: string, version: string, requestId: string, body: XmlObject): string {
  const namespace = escapeText(`http://ec2.amazonaws.com/doc/${version}/`);
  const inner = element("requestId", requestId) + members(body);
  return `${DECLARATION}<${action}Response xmlns="${namespace}">${inner}</${action}Response>`;
}

/** The answer to an STS action: result and metadata side by side. */
export function stsAnswer(action: string, requestId: string, body: XmlObject): string {
  const result = element(`${action}Result`, body);
  const metadata = element("ResponseMetadata", { RequestId: requestId });
  return `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">${result}${metadata}</${action}Response>`;
}

/** EC2's error document. It spells `RequestID` with a capital D; clients depend on it. */
export function ec2Error(code: string, message: string, requestId: string): string {
  const errors = { Errors: { Error: { Code: code, Message: message } }, RequestID: requestId };
  return DECLARATION + element("Response", errors);
}

/** STS's error document. `Type` says whose fault it is. */
export function stsError(code: string, message: string, requestId: string, status: number): string {
  const error = { Type: status < 500 ? "Sender" : "Receiver", Code: code, Message: message };
  const inner = element("Error", error) + element("RequestId", requestId);
  return `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">${inner}</ErrorResponse>`;
}

function members(object: XmlObject): string {
  return Object.entries(object)
    .map(([name, value]) => element(name, value))
    .join("");
}

function element(name: string, value: XmlValue): string {
  if (value === undefined) return "";
  const inner = content(value);
  return inner === "" ? `<${name}/>` : `<${name}>${inner}</${name}>`;
}

function content(value: Exclude<XmlValue, undefined>): string {
  if (typeof value === "string") return escapeText(value);
  if (typeof value !== "object") return String(value);
  if (isList(value)) return value.map((item) => element("item", item)).join("");
  return members(value);
}

// Array.isArray does not narrow a readonly array.
function isList(value: readonly XmlValue[] | XmlObject): value is readonly XmlValue[] {
  return Array.isArray(value);
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escapeText(text: string): string {
  return (
    text
      .replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character)
      // A parser turns a bare carriage return into a line feed.
      .replaceAll("\r", "&#xD;")
      // biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 has no way to write these, not even as entities.
      .replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, "\uFFFD")
  );
}
