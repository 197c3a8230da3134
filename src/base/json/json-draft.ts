import { applyEdits, type Edit, type Node, parseTree } from "jsonc-parser";

/** One thing that was rewritten. */
export interface JsonChange {
  /** `builders[0].enhanced_networking` */
  readonly path: string;
  /** What became of it: `is now "ena_support"`. */
  readonly what: string;
}

/** JSON text that is being rewritten: what is not touched keeps its place, order and layout. */
export class JsonDraft {
  readonly #text: string;
  readonly #root: Node | undefined;
  readonly #edits: Edit[] = [];
  readonly changes: JsonChange[] = [];

  /** @param text is JSON. */
  constructor(text: string) {
    this.#text = text;
    this.#root = parseTree(text);
  }

  /** The text with all edits. */
  get text(): string {
    return applyEdits(this.#text, this.#edits);
  }

  /** The objects in a list of the root object, also those in lists in it. */
  objectsIn(key: string): DraftObject[] {
    const list = propertyOf(this.#root, key)?.value;
    return list?.type === "array" ? this.#objectsOf(list, key) : [];
  }

  #objectsOf(list: Node, path: string): DraftObject[] {
    return (list.children ?? []).flatMap((node, index) => {
      if (node.type === "object") return [new DraftObject(node, `${path}[${index}]`, this)];
      return node.type === "array" ? this.#objectsOf(node, `${path}[${index}]`) : [];
    });
  }

  sourceOf({ offset, length }: Node): string {
    return this.#text.slice(offset, offset + length);
  }

  edit(edit: Edit): void {
    this.#edits.push(edit);
  }

  tell(path: string, what: string): void {
    this.changes.push({ path, what });
  }
}

/** A text in an object that is being rewritten. */
export interface DraftText {
  /** `ami_name`, `tags.Name` */
  readonly path: string;
  readonly text: string;
  readonly replace: (text: string) => void;
}

/** An object that is being rewritten. */
export class DraftObject {
  readonly #node: Node;
  readonly #path: string;
  readonly #draft: JsonDraft;

  constructor(node: Node, path: string, draft: JsonDraft) {
    this.#node = node;
    this.#path = path;
    this.#draft = draft;
  }

  /** Its texts, and those of the objects in it. */
  texts(): DraftText[] {
    return (this.#node.children ?? []).flatMap(({ children: [key, value] = [] }) => {
      const path = String(key?.value);
      if (value?.type !== "object") return this.#textAt(value, path);
      return (value.children ?? []).flatMap(({ children: [name, inner] = [] }) =>
        this.#textAt(inner, `${path}.${name?.value}`),
      );
    });
  }

  #textAt(node: Node | undefined, path: string): DraftText[] {
    if (node?.type !== "string") return [];
    const replace = (text: string): void => {
      this.#replace(node, JSON.stringify(text));
      this.#draft.tell(`${this.#path}.${path}`, `is now ${JSON.stringify(text)}`);
    };
    return [{ path, text: String(node.value), replace }];
  }

  has(key: string): boolean {
    return propertyOf(this.#node, key) !== undefined;
  }

  /** A text, a number, true, false or null; `undefined` for what is not there, and for lists and objects. */
  valueOf(key: string): unknown {
    return propertyOf(this.#node, key)?.value.value;
  }

  /** Gives a key another name, where it stands. If that name is taken, its value is replaced. */
  rename(key: string, name: string, value?: unknown): void {
    const property = propertyOf(this.#node, key);
    if (property === undefined) return;
    const text = value === undefined ? this.#draft.sourceOf(property.value) : JSON.stringify(value);
    const taken = propertyOf(this.#node, name);
    if (taken === undefined) {
      this.#replace(property.key, JSON.stringify(name));
      if (value !== undefined) this.#replace(property.value, text);
    } else {
      this.#replace(taken.value, text);
      this.#cut(property.node);
    }
    const changed = value === undefined ? "" : `: ${text}`;
    this.#draft.tell(`${this.#path}.${key}`, `is now "${name}"${changed}`);
  }

  /** @param why it is of no use. */
  remove(key: string, why: string): void {
    const property = propertyOf(this.#node, key);
    if (property === undefined) return;
    this.#cut(property.node);
    this.#draft.tell(`${this.#path}.${key}`, `is gone: ${why}`);
  }

  #replace({ offset, length }: Node, content: string): void {
    this.#draft.edit({ offset, length, content });
  }

  /** With the comma and the blanks that belong to it. */
  #cut(property: Node): void {
    const properties = this.#node.children ?? [];
    const index = properties.indexOf(property);
    const before = properties[index - 1];
    const after = properties[index + 1];
    const end = property.offset + property.length;
    if (before !== undefined) this.#delete(before.offset + before.length, end);
    else if (after !== undefined) this.#delete(property.offset, after.offset);
    else this.#delete(this.#node.offset + 1, this.#node.offset + this.#node.length - 1);
  }

  #delete(start: number, end: number): void {
    this.#draft.edit({ offset: start, length: end - start, content: "" });
  }
}

function propertyOf(object: Node | undefined, name: string): { node: Node; key: Node; value: Node } | undefined {
  if (object?.type !== "object") return undefined;
  for (const node of object.children ?? []) {
    const [key, value] = node.children ?? [];
    if (key?.value === name && value !== undefined) return { node, key, value };
  }
  return undefined;
}
