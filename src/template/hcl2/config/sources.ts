import type { ProblemList } from "../../../base/problems.ts";
import type { SourceLocation } from "../../../base/source-location.ts";
import { isBuilder } from "../../plan/builders.ts";
import type { LocatedMember, LocatedObject } from "../../plan/located-value.ts";
import { BUILDERS } from "../../schema/components.ts";
import { addTwice } from "./add-twice.ts";
import { typeMember, withoutLabelKeys } from "./component-body.ts";
import { locateBody } from "./locate-body.ts";
import type { ScopedBlock } from "./scoped-block.ts";

/** A `source` block. */
export interface Source {
  readonly type: string;
  readonly typeLocation: SourceLocation;
  readonly name: string;
  readonly block: ScopedBlock;
  readonly location: SourceLocation;
}

/** The sources of a template by `type.name`. */
export function declareSources(blocks: readonly ScopedBlock[], problems: ProblemList): Map<string, Source> {
  const declared = new Map<string, Source>();
  for (const one of blocks) {
    const [type, name] = one.block.labels;
    if (type === undefined || name === undefined) continue;
    const key = `${type.text}.${name.text}`;
    const first = declared.get(key);
    const location = one.block.typeRange.start;
    if (first !== undefined) addTwice("source", key, { first: first.location, second: location }, problems);
    else declared.set(key, { type: type.text, typeLocation: type.range.start, name: name.text, block: one, location });
  }
  return declared;
}

/**
 * A source as the builder of one build.
 *
 * @param additions what the `source` block of the build says: it adds keys to those of the source but replaces none, as in
 *   Packer.
 */
export function locateBuilder(
  { type, typeLocation, block }: Source,
  additions: ScopedBlock | undefined,
  problems: ProblemList,
): LocatedObject {
  const schema = isBuilder(type) ? BUILDERS[type].schema : undefined;
  const own = locateBody(block, schema, { problems });
  const members = withoutLabelKeys(own.members, ["type", "name"], problems);
  const more = additions === undefined ? [] : locateBody(additions, schema, { problems }).members;
  for (const member of withoutLabelKeys(more, ["type"], problems)) addMember(members, member, problems);
  return { ...own, members: [typeMember(type, typeLocation), ...members] };
}

function addMember(members: LocatedMember[], member: LocatedMember, problems: ProblemList): void {
  const index = members.findIndex(({ key }) => key === member.key);
  const first = members[index];
  if (first === undefined) {
    members.push(member);
    return;
  }
  if (first.value.kind === "array" && member.value.kind === "array" && isBlockList(member)) {
    members[index] = { ...first, value: { ...first.value, items: [...first.value.items, ...member.value.items] } };
    return;
  }
  const { file, line, column } = first.keyLocation;
  problems.add(`"${member.key}" is set at ${file}:${line}:${column} already`, {
    location: member.keyLocation,
    hint: "In a build, a source gets keys that it does not have yet; for one that differs, use a source of its own",
  });
}

/** Repeated blocks stand at their first one; an attribute behind its name. */
function isBlockList({ value, keyLocation }: LocatedMember): boolean {
  return value.location === keyLocation;
}
