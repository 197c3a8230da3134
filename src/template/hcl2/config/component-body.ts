import type * as z from "zod/mini";
import type { ProblemList } from "../../../base/problems.ts";
import type { SourceLocation } from "../../../base/source-location.ts";
import type { LocatedMember, LocatedObject } from "../../plan/located-value.ts";
import { locateBody } from "./locate-body.ts";
import type { RuntimeScope } from "./runtime-value.ts";
import type { ScopedBlock } from "./scoped-block.ts";

interface LocateOptions {
  readonly problems: ProblemList;
  readonly runtime?: RuntimeScope | undefined;
}

/** The label of a block as the key "type" that it is in JSON. */
export function typeMember(type: string, location: SourceLocation): LocatedMember {
  const locate = () => location;
  const value = { kind: "string", value: type, location, locate } as const;
  return { key: "type", keyLocation: location, locateInKey: locate, value };
}

/**
 * What a block with one label says, as it would stand in a JSON template: the label is its `type`.
 *
 * @param schema missing for what amibake does not have.
 */
export function locateComponent(
  one: ScopedBlock,
  schema: z.ZodMiniObject | undefined,
  options: LocateOptions,
): LocatedObject {
  const [label] = one.block.labels;
  const body = locateBody(one, schema, options);
  const members = withoutLabelKeys(body.members, ["type"], options.problems);
  const { start } = label?.range ?? one.block.typeRange;
  return { ...body, members: [typeMember(label?.text ?? "", start), ...members] };
}

/** Takes out what a block says as a label; a key that says it again is a problem. */
export function withoutLabelKeys(
  members: readonly LocatedMember[],
  keys: readonly string[],
  problems: ProblemList,
): LocatedMember[] {
  return members.filter(({ key, keyLocation }) => {
    if (!keys.includes(key)) return true;
    problems.add(`"${key}" is a label of the block, and no key in it`, {
      location: keyLocation,
      hint: "Leave it out",
    });
    return false;
  });
}
