import type { DataSources } from "../../template/data-sources.ts";
import type { CliContext } from "../cli-context.ts";

export interface DataSourcesOptions {
  readonly signal: AbortSignal;
  /** The environment of the local cloud, if that is to be asked. */
  readonly localCloud?: (() => Promise<Readonly<Record<string, string>>>) | undefined;
}

/** Answers the data sources of a template. What that takes is loaded when the first one asks: few templates have any. */
export function templateDataSources(context: CliContext, { signal, localCloud }: DataSourcesOptions): DataSources {
  let created: Promise<DataSources> | undefined;
  const create = async (): Promise<DataSources> => {
    const { createDataSources } = await import("../../build/data-sources/create-data-sources.ts");
    return createDataSources({
      environment: context.environment,
      ...(localCloud === undefined ? {} : { localCloud: await localCloud() }),
      onSecret: (secret) => context.secrets.add(secret),
      onRetry: () => {},
      signal,
    });
  };
  const dataSources = (): Promise<DataSources> => {
    created ??= create();
    return created;
  };
  return {
    findImage: async (config) => (await dataSources()).findImage(config),
    getParameter: async (config) => (await dataSources()).getParameter(config),
    getSecret: async (config) => (await dataSources()).getSecret(config),
    fetchUrl: async (config) => (await dataSources()).fetchUrl(config),
  };
}
