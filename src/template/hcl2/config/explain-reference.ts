import type { SourceLocation } from "../../../base/source-location.ts";
import { nearMiss } from "../../../base/suggest.ts";
import { ABSENT_BUILD_VARIABLES } from "../../generic-build-variables.ts";
import type { HclError } from "../evaluate/hcl-error.ts";
import { type Reference, references } from "../evaluate/references.ts";
import { findVariable, type Scope, variableNames } from "../evaluate/scope.ts";
import type { Expression } from "../syntax/syntax-tree.ts";
import { entriesOf, isKnown } from "../values/contents.ts";
import type { HclValue } from "../values/value.ts";

interface Explanation {
  readonly message: string;
  readonly hint: string | undefined;
}

/** What is to be said if an error comes of a name that does not exist in a template, or not at that place. */
export function explainReference(error: HclError, expression: Expression, scope: Scope): Explanation | undefined {
  const reference = references(expression).find(({ range }) => isWithin(error.range.start, range));
  return reference === undefined ? undefined : explain(reference, scope);
}

function isWithin(place: SourceLocation, { start, end }: Reference["range"]): boolean {
  return compare(start, place) <= 0 && compare(place, end) < 0;
}

function compare(a: SourceLocation, b: SourceLocation): number {
  return a.line - b.line || a.column - b.column;
}

/** The roots whose parts the template declares, or Packer. */
const DECLARED: ReadonlySet<string> = new Set(["var", "local", "data", "build", "source", "packer", "path"]);

function explain({ path: [root = "", ...path] }: Reference, scope: Scope): Explanation | undefined {
  let value: HclValue | undefined = findVariable(scope, root);
  if (value === undefined) return unknownRoot(root, scope);
  if (!DECLARED.has(root)) return undefined;
  for (const [depth, name] of path.entries()) {
    if (value.type.kind !== "object" || !isKnown(value)) return undefined;
    const entries = entriesOf(value);
    const inner = entries.get(name);
    if (inner === undefined) return absentPart(root, path, { depth, known: [...entries.keys()] });
    value = inner;
  }
  return undefined;
}

/** What an object has, and how deep in the path it is asked for something that it has not. */
interface Gap {
  readonly depth: number;
  readonly known: readonly string[];
}

function absentPart(root: string, path: readonly string[], { depth, known }: Gap): Explanation {
  const prefix = [root, ...path.slice(0, depth)].join(".");
  const name = path[depth] ?? "";
  const why = prefix === "build" ? ABSENT_BUILD_VARIABLES.get(name) : undefined;
  if (why !== undefined) {
    return { message: `"build.${name}" has no value here: ${why}`, hint: absentHint(root, path, { depth, known }) };
  }
  const meant = nearMiss(name, known);
  const hint = meant === undefined ? absentHint(root, path, { depth, known }) : `Did you mean "${prefix}.${meant}"?`;
  return { message: `There is no "${prefix}.${name}"`, hint };
}

function absentHint(root: string, path: readonly string[], { depth, known }: Gap): string | undefined {
  const [first = "", second = "…"] = path;
  if (root === "var" && depth === 0) return `Declare it: variable "${first}" {}`;
  if (root === "local" && depth === 0) return `Declare it: locals { ${first} = … }`;
  if (root === "data" && depth < 2) return `Declare it: data "${first}" "${second}" { … }`;
  const prefix = [root, ...path.slice(0, depth)].join(".");
  if (known.length === 0) return undefined;
  return `There ${known.length === 1 ? "is" : "are"} ${known.map((key) => `"${prefix}.${key}"`).join(", ")}`;
}

/** Names that mean something at other places. */
const ELSEWHERE: Readonly<Record<string, Explanation>> = {
  build: {
    message: '"build" is known to provisioners and post-processors only',
    hint: "In a source, write what exists while it is built as {{ .SourceAMI }}",
  },
  source: {
    message: '"source" is known to provisioners and post-processors only',
    hint: "Write the name of the source itself",
  },
  each: {
    message: 'There is no "each"',
    hint: 'In "content", what for_each gives has the name of the block: tag.key and tag.value in dynamic "tag"',
  },
  locals: { message: 'There is no "locals": what such a block says is in "local"', hint: "Write local.name" },
  variable: { message: 'There is no "variable": what such a block declares is in "var"', hint: "Write var.name" },
};

function unknownRoot(root: string, scope: Scope): Explanation {
  const elsewhere = Object.hasOwn(ELSEWHERE, root) ? ELSEWHERE[root] : undefined;
  if (elsewhere !== undefined) return elsewhere;
  const known = variableNames(scope);
  const meant = nearMiss(root, known);
  const others =
    known.length === 0 ? "no names can be used here" : `there are ${known.map((name) => `"${name}"`).join(", ")}`;
  const hint = DECLARED.has(root)
    ? `A local can use it: locals { name = ${root}.… }`
    : meant === undefined
      ? `If it is a text, write "${root}"`
      : `Did you mean "${meant}"?`;
  return { message: `Unknown name "${root}": ${others}`, hint };
}
