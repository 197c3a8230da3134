import { type HclType, STRING } from "./value.ts";

/** A type as messages say it: "list of string". */
export function typeName(type: HclType): string {
  switch (type.kind) {
    case "string":
    case "number":
    case "bool":
    case "tuple":
    case "object":
      return type.kind;
    case "dynamic":
      return "any type";
    case "list":
    case "set":
    case "map":
      return `${type.kind} of ${typeName(type.element)}`;
  }
}

/** Whether two types are the same; optional attributes do not count. */
export function isSameType(a: HclType, b: HclType): boolean {
  if (a === b) return true;
  switch (a.kind) {
    case "list":
    case "set":
    case "map":
      return a.kind === b.kind && isSameType(a.element, b.element);
    case "tuple":
      return (
        b.kind === "tuple" &&
        a.elements.length === b.elements.length &&
        a.elements.every((element, index) => isSameType(element, b.elements[index] ?? STRING))
      );
    case "object": {
      if (b.kind !== "object" || a.attributes.size !== b.attributes.size) return false;
      return [...a.attributes].every(([name, type]) => {
        const other = b.attributes.get(name);
        return other !== undefined && isSameType(type, other);
      });
    }
    default:
      return a.kind === b.kind;
  }
}

/** Whether `any` is the type or in it. */
export function hasDynamic(type: HclType): boolean {
  switch (type.kind) {
    case "dynamic":
      return true;
    case "list":
    case "set":
    case "map":
      return hasDynamic(type.element);
    case "tuple":
      return type.elements.some(hasDynamic);
    case "object":
      return [...type.attributes.values()].some(hasDynamic);
    default:
      return false;
  }
}

/** Whether a value of the type may leave attributes out. */
export function hasOptional(type: HclType): boolean {
  if (type.kind === "object") return type.optional !== undefined || [...type.attributes.values()].some(hasOptional);
  if (type.kind === "tuple") return type.elements.some(hasOptional);
  return "element" in type && hasOptional(type.element);
}

/** The type that values have which were converted to it. */
export function withoutOptional(type: HclType): HclType {
  if (!hasOptional(type)) return type;
  if (type.kind === "tuple") return { kind: "tuple", elements: type.elements.map(withoutOptional) };
  if ("element" in type) return { kind: type.kind, element: withoutOptional(type.element) };
  if (type.kind !== "object") return type;
  return {
    kind: "object",
    attributes: new Map([...type.attributes].map(([name, attribute]) => [name, withoutOptional(attribute)])),
  };
}
