import type { HclType } from "./value.ts";

/**
 * Whether values of one type can become those of another. Of some types only some values can: a string may be a number, a
 * map may have the attributes of an object.
 */
export function canConvert(from: HclType, to: HclType): boolean {
  if (to.kind === "dynamic" || from.kind === "dynamic") return true;
  switch (to.kind) {
    case "string":
      return from.kind === "string" || from.kind === "number" || from.kind === "bool";
    case "number":
    case "bool":
      return from.kind === to.kind || from.kind === "string";
    case "list":
    case "set":
      if (from.kind === "list" || from.kind === "set") return canConvert(from.element, to.element);
      return from.kind === "tuple" && from.elements.every((element) => canConvert(element, to.element));
    case "map":
      if (from.kind === "map") return canConvert(from.element, to.element);
      return from.kind === "object" && [...from.attributes.values()].every((type) => canConvert(type, to.element));
    case "tuple":
      return canBecomeTuple(from, to.elements);
    case "object":
      return canBecomeObject(from, to);
  }
}

function canBecomeTuple(from: HclType, elements: readonly HclType[]): boolean {
  if (from.kind !== "tuple" || from.elements.length !== elements.length) return false;
  return elements.every((element, index) => {
    const given = from.elements[index];
    return given !== undefined && canConvert(given, element);
  });
}

function canBecomeObject(from: HclType, to: HclType & { readonly kind: "object" }): boolean {
  if (from.kind === "map") return [...to.attributes.values()].every((type) => canConvert(from.element, type));
  if (from.kind !== "object") return false;
  return [...to.attributes].every(([name, type]) => {
    const given = from.attributes.get(name);
    return given === undefined ? to.optional?.has(name) === true : canConvert(given, type);
  });
}
