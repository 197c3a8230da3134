import { amazonAmiData } from "./amazon-ami.ts";
import { amazonParameterStoreData } from "./amazon-parameterstore.ts";
import { amazonSecretsManagerData } from "./amazon-secretsmanager.ts";
import { httpData } from "./http.ts";
import { nullData } from "./null.ts";

export const DATA_SOURCES = {
  "amazon-ami": amazonAmiData,
  "amazon-parameterstore": amazonParameterStoreData,
  "amazon-secretsmanager": amazonSecretsManagerData,
  http: httpData,
  null: nullData,
} as const;

export type DataSourceType = keyof typeof DATA_SOURCES;
