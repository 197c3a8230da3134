import { describeJson, type JsonArray, type JsonObject, memberOf } from "../../base/json/json-value.ts";
import type { ProblemList } from "../../base/problems.ts";
import type { DescribedVariable, JsonTemplateDescription } from "../template-description.ts";
import { objectsOf, parseRoot, sensitiveNamesOf } from "./root.ts";

/**
 * What a JSON template declares. Only its sections are looked at; nothing is evaluated.
 *
 * @param file as it is called in problems.
 * @returns `undefined` if it is no template. It counts only if there are no problems.
 */
export function describeJsonTemplate(
  file: string,
  text: string,
  problems: ProblemList,
): JsonTemplateDescription | undefined {
  const root = parseRoot(file, text, problems);
  if (root === undefined) return undefined;
  const sensitive = sensitiveNamesOf(root);
  const variables = describeVariables(root.variables, sensitive, problems);
  return {
    language: "json",
    description: root.description?.value,
    variables,
    builders: describeBuilders(root.builders, problems),
    provisioners: objectsOf(root.provisioners, "provisioner", problems).map(({ type }) => ({ type })),
    secrets: variables.flatMap(({ default: value, isSensitive }) => (isSensitive && value ? [value] : [])),
  };
}

function describeVariables(
  variables: JsonObject | undefined,
  sensitive: ReadonlySet<string>,
  problems: ProblemList,
): DescribedVariable[] {
  return (variables?.members ?? []).flatMap(({ key: name, value }): DescribedVariable[] => {
    const isSensitive = sensitive.has(name);
    switch (value.kind) {
      case "null":
        return [{ name, default: undefined, isSensitive }];
      case "string":
        return [{ name, default: value.value, isSensitive }];
      case "number":
        return [{ name, default: value.text, isSensitive }];
      case "boolean":
        return [{ name, default: String(value.value), isSensitive }];
      default:
        problems.add(`The variable "${name}" must be a string, not ${describeJson(value)}`, {
          location: value.location,
        });
        return [];
    }
  });
}

function describeBuilders(builders: JsonArray | undefined, problems: ProblemList): { name: string; type: string }[] {
  const described = new Map<string, { name: string; type: string }>();
  for (const { object, type } of objectsOf(builders, "builder", problems)) {
    const value = memberOf(object, "name")?.value;
    const name = value?.kind === "string" && value.value !== "" ? value.value : type;
    if (described.has(name)) {
      problems.add(`Two builds have the name "${name}"`, {
        location: value?.location ?? object.location,
        hint: 'Give each builder a "name" of its own',
      });
    }
    described.set(name, { name, type });
  }
  return [...described.values()];
}
