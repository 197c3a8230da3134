import type { AmazonAmiDataConfig } from "./schema/data-sources/amazon-ami.ts";
import type { AmazonParameterStoreDataConfig } from "./schema/data-sources/amazon-parameterstore.ts";
import type { AmazonSecretsManagerDataConfig } from "./schema/data-sources/amazon-secretsmanager.ts";
import type { HttpDataConfig } from "./schema/data-sources/http.ts";

/** What a data source answers: the outputs of its schema. */
export interface DataAnswer {
  readonly outputs: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  /** What of it must never be printed. */
  readonly secrets?: readonly string[];
}

/**
 * Who answers the data sources of a template. The reader itself reaches no network.
 *
 * The same question is asked again if a template is read again; it should then be answered from memory.
 *
 * @throws {ToolError} what the template's reader tells at the block that asked.
 */
export interface DataSources {
  findImage(config: AmazonAmiDataConfig): Promise<DataAnswer>;
  getParameter(config: AmazonParameterStoreDataConfig): Promise<DataAnswer>;
  getSecret(config: AmazonSecretsManagerDataConfig): Promise<DataAnswer>;
  fetchUrl(config: HttpDataConfig): Promise<DataAnswer>;
}
