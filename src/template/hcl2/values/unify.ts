import { canConvert } from "./can-convert.ts";
import { isSameType } from "./types.ts";
import { DYNAMIC, type HclType } from "./value.ts";

/**
 * The type that values of all these types can become, as cty finds it: `undefined` if there is none, `any` for no type.
 *
 * Objects of different attributes become maps, tuples of different lengths lists; a number beside a string becomes one.
 */
export function unify(types: readonly HclType[]): HclType | undefined {
  const concrete = types.filter(({ kind }) => kind !== "dynamic");
  const [first] = concrete;
  if (first === undefined) return DYNAMIC;
  if (concrete.every((type) => isSameType(type, first))) return first;
  const kinds = new Set(concrete.map(({ kind }) => kind));
  if (kinds.size === 1) {
    // What is not known at all could have any attributes.
    const hasUntyped = concrete.length < types.length;
    if (first.kind === "object") return hasUntyped ? DYNAMIC : unifyObjects(concrete);
    if (first.kind === "tuple") return hasUntyped ? DYNAMIC : unifyTuples(concrete);
  }
  if (isAmong(kinds, ["map", "object"])) return collectionOf("map", concrete);
  if (isAmong(kinds, ["list", "tuple"])) return collectionOf("list", concrete);
  if (isAmong(kinds, ["set", "tuple"])) return collectionOf("set", concrete);
  if (isAmong(kinds, ["list", "set", "tuple"])) return collectionOf("list", concrete);
  return mostGeneral(concrete);
}

function isAmong(kinds: ReadonlySet<string>, allowed: readonly string[]): boolean {
  return [...kinds].every((kind) => allowed.includes(kind));
}

function unifyObjects(types: readonly HclType[]): HclType | undefined {
  const objects = types.flatMap((type) => (type.kind === "object" ? [type] : []));
  const [first] = objects;
  if (first === undefined) return undefined;
  const names = [...first.attributes.keys()];
  const haveSameNames = objects.every(
    ({ attributes }) => attributes.size === names.length && names.every((name) => attributes.has(name)),
  );
  if (!haveSameNames) return collectionOf("map", types);
  const attributes = new Map<string, HclType>();
  for (const name of names) {
    const unified = unify(objects.flatMap((object) => object.attributes.get(name) ?? []));
    if (unified === undefined) return collectionOf("map", types);
    attributes.set(name, unified);
  }
  return { kind: "object", attributes };
}

function unifyTuples(types: readonly HclType[]): HclType | undefined {
  const tuples = types.flatMap((type) => (type.kind === "tuple" ? [type.elements] : []));
  const [first = []] = tuples;
  if (tuples.some(({ length }) => length !== first.length)) return collectionOf("list", types);
  const elements: HclType[] = [];
  for (const index of first.keys()) {
    const unified = unify(tuples.flatMap((tuple) => tuple[index] ?? []));
    if (unified === undefined) return collectionOf("list", types);
    elements.push(unified);
  }
  return { kind: "tuple", elements };
}

function collectionOf(kind: "list" | "set" | "map", types: readonly HclType[]): HclType | undefined {
  const element = unify(types.flatMap(elementTypes));
  return element === undefined ? undefined : { kind, element };
}

function elementTypes(type: HclType): readonly HclType[] {
  if (type.kind === "tuple") return type.elements;
  if (type.kind === "object") return [...type.attributes.values()];
  return "element" in type ? [type.element] : [];
}

/** One of the types that all others can become, a string before others: only that can be any primitive value. */
function mostGeneral(types: readonly HclType[]): HclType | undefined {
  const strings = types.filter(({ kind }) => kind === "string");
  return [...strings, ...types].find((wanted) => types.every((type) => canConvert(type, wanted)));
}
