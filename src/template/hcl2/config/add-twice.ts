import type { ProblemList } from "../../../base/problems.ts";
import type { SourceLocation } from "../../../base/source-location.ts";

/** Says that two things have one name, at the second one. */
export function addTwice(
  what: string,
  name: string,
  { first, second }: { first: SourceLocation; second: SourceLocation },
  problems: ProblemList,
): void {
  const place = `${first.file}:${first.line}:${first.column}`;
  problems.add(`Two ${what}s have the name "${name}"; the other one is at ${place}`, { location: second });
}
