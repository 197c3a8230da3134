import { hintOf, messageOf } from "../../../base/errors.ts";
import type { ProblemList } from "../../../base/problems.ts";
import type { SourceLocation } from "../../../base/source-location.ts";
import { nearMiss } from "../../../base/suggest.ts";
import type { DataAnswer, DataSources } from "../../data-sources.ts";
import { readObject } from "../../plan/check.ts";
import type { ConformContext } from "../../plan/conform.ts";
import type { DataSource } from "../../schema/data-sources/data-source.ts";
import { DATA_SOURCES, type DataSourceType } from "../../schema/data-sources/data-sources.ts";
import type { Block } from "../syntax/syntax-tree.ts";
import { mapValue, objectValue, stringValue, unknownValue } from "../values/construct.ts";
import { type HclValue, STRING } from "../values/value.ts";
import { addTwice } from "./add-twice.ts";
import type { Evaluation } from "./evaluation.ts";
import { HCL2 } from "./language.ts";
import { locateBody } from "./locate-body.ts";
import { checkName } from "./names.ts";

/** A `data` block. */
export interface DataBlock {
  readonly type: DataSourceType;
  readonly name: string;
  readonly block: Block;
  readonly location: SourceLocation;
}

/** The data sources of a template by `type.name`. */
export function declareDataSources(blocks: readonly Block[], problems: ProblemList): Map<string, DataBlock> {
  const declared = new Map<string, DataBlock>();
  for (const block of blocks) {
    const [type, name] = block.labels;
    const location = (name?.range ?? block.typeRange).start;
    if (type === undefined || name === undefined) continue;
    if (!isDataSource(type.text)) {
      addUnknownType(type.text, type.range.start, problems);
      continue;
    }
    checkName("data source", name, problems);
    const key = `${type.text}.${name.text}`;
    const first = declared.get(key);
    if (first !== undefined) addTwice("data source", key, { first: first.location, second: location }, problems);
    else declared.set(key, { type: type.text, name: name.text, block, location });
  }
  return declared;
}

function isDataSource(type: string): type is DataSourceType {
  return Object.hasOwn(DATA_SOURCES, type);
}

function addUnknownType(type: string, location: SourceLocation, problems: ProblemList): void {
  const known = Object.keys(DATA_SOURCES);
  const meant = nearMiss(type, known);
  const hint = meant === undefined ? `There are ${known.join(", ")}` : `Did you mean "${meant}"?`;
  problems.add(`Unknown data source "${type}"`, { location, hint });
}

interface AskOptions extends Evaluation {
  /** Missing: nobody is asked. */
  readonly dataSources?: DataSources | undefined;
  readonly goScope: ConformContext["scope"];
  readonly secrets: Set<string>;
}

/** What a data source answers. It is unknown if nobody is asked, or if something is wrong, which has been told. */
export async function askDataSource({ type, block, location }: DataBlock, options: AskOptions): Promise<HclValue> {
  const answer = await answerOf(type, block, options).catch((error: unknown) => {
    options.problems.add(messageOf(error), { location, hint: hintOf(error) });
    return undefined;
  });
  for (const secret of answer?.secrets ?? []) if (secret !== "") options.secrets.add(secret);
  return outputValue(DATA_SOURCES[type], answer);
}

async function answerOf(type: DataSourceType, block: Block, options: AskOptions): Promise<DataAnswer | undefined> {
  const { dataSources } = options;
  const read = <Config>(source: DataSource<Config>): Config | undefined => {
    const body = locateBody({ block, scope: options.scope }, source.schema, options);
    const label = `the data source "${type}"`;
    return readObject(body, source.schema, { ...options, ...source, label, language: HCL2, scope: options.goScope })
      .config;
  };
  const ask = async <Config>(
    source: DataSource<Config>,
    answer: ((config: Config) => Promise<DataAnswer>) | undefined,
  ): Promise<DataAnswer | undefined> => {
    const config = read(source);
    return config === undefined ? undefined : answer?.(config);
  };
  switch (type) {
    case "amazon-ami":
      return ask(DATA_SOURCES[type], dataSources && ((config) => dataSources.findImage(config)));
    case "amazon-parameterstore":
      return ask(DATA_SOURCES[type], dataSources && ((config) => dataSources.getParameter(config)));
    case "amazon-secretsmanager":
      return ask(DATA_SOURCES[type], dataSources && ((config) => dataSources.getSecret(config)));
    case "http":
      return ask(DATA_SOURCES[type], dataSources && ((config) => dataSources.fetchUrl(config)));
    case "null":
      return ask(DATA_SOURCES[type], ({ input }) => Promise.resolve({ outputs: { output: input } }));
  }
}

/** An object of the outputs, each unknown without an answer. */
function outputValue({ outputs }: Pick<DataSource<unknown>, "outputs">, answer: DataAnswer | undefined): HclValue {
  return objectValue(
    Object.entries(outputs).map(([name, type]): [string, HclValue] => {
      const output = answer?.outputs[name];
      if (output === undefined) return [name, unknownValue(type)];
      if (typeof output === "string") return [name, stringValue(output)];
      return [
        name,
        mapValue(
          STRING,
          Object.entries(output).map(([key, text]) => [key, stringValue(text)]),
        ),
      ];
    }),
  );
}
