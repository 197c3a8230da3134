import { readInstanceIdentity } from "../../aws/imds.ts";
import { createJsonService } from "../../aws/json-service.ts";
import { getParameter } from "../../aws/parameter.ts";
import { getSecret, secretValue } from "../../aws/secret.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import { together } from "../../base/together.ts";
import type { DataAnswer, DataSources } from "../../template/data-sources.ts";
import { type Access, openAccess } from "../access.ts";
import type { BuildHostOptions, ConnectOptions } from "../build-host.ts";
import { findImage } from "../image/find-image.ts";
import { fetchUrl } from "./fetch-url.ts";

export interface DataSourcesOptions
  extends ConnectOptions,
    Pick<BuildHostOptions, "environment" | "localCloud" | "onSecret"> {
  readonly clock?: Clock;
}

/** Answers the data sources of a template. What was asked once is answered from memory. */
export function createDataSources(options: DataSourcesOptions): DataSources {
  const clock = options.clock ?? systemClock;
  const environment = { ...options.environment, ...options.localCloud };
  const connect = async (config: Parameters<typeof openAccess>[0]) => {
    const { access } = openAccess(config, { ...options, clock, environment }, options);
    const [credentials, region] = await together([access.credentials, regionOf(access)]);
    return { ...access, credentials, region };
  };
  return {
    findImage: remembered(async (config) => {
      const [access, { createEc2Api }] = await together([connect(config), import("../../aws/ec2-sdk.ts")]);
      using ec2 = createEc2Api(access);
      const image = await findImage(ec2, { filter: config, filterName: "the filters" });
      const { imageId: id, name, creationDate: creation_date, ownerId: owner, ownerAlias: owner_name, tags } = image;
      return { outputs: { id, name, creation_date, owner, owner_name, tags } };
    }),
    getParameter: remembered(async (config) => {
      const ssm = createJsonService("ssm", await connect(config));
      const { value, version, arn, isSecret } = await getParameter(ssm, config.name, config.with_decryption);
      return { outputs: { value, version, arn }, secrets: isSecret ? [value] : [] };
    }),
    getSecret: remembered(
      async ({ name: secretId, key, version_id: versionId, version_stage: versionStage, ...config }) => {
        const secretsManager = createJsonService("secretsmanager", await connect(config));
        const secret = await getSecret(secretsManager, { secretId, versionId, versionStage });
        const value = secretValue(secretId, secret.text, key);
        return {
          outputs: { value, secret_string: secret.text, version_id: secret.versionId },
          secrets: [secret.text, value],
        };
      },
    ),
    fetchUrl: remembered((config) => fetchUrl(config, options.signal)),
  };
}

/** Where nobody names a region, this instance is in one. */
async function regionOf(access: Access): Promise<string> {
  return (await access.region) ?? (await readInstanceIdentity(access.environment, access)).region;
}

function remembered<Config>(answer: (config: Config) => Promise<DataAnswer>): (config: Config) => Promise<DataAnswer> {
  const answers = new Map<string, Promise<DataAnswer>>();
  return (config) => {
    const question = JSON.stringify(config);
    const known = answers.get(question);
    if (known !== undefined) return known;
    const asked = answer(config);
    answers.set(question, asked);
    // What failed may be asked again.
    asked.catch(() => answers.delete(question));
    return asked;
  };
}
