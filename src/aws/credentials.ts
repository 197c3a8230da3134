import { messageOf, ToolError } from "../base/errors.ts";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

/** What a template says about access. */
export interface AccessOptions {
  readonly access_key?: string | undefined;
  readonly secret_key?: string | undefined;
  readonly token?: string | undefined;
  readonly region?: string | undefined;
  readonly profile?: string | undefined;
  readonly shared_credentials_file?: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Finds credentials: the template's, then the environment's, then what the SDK
 * finds (shared files, SSO, web identity, container and instance roles).
 *
 * A template that names a profile means that profile, whatever the environment holds.
 *
 * @param onSecret told of each value that must never be shown, also when they are renewed.
 * @returns a provider that renews what expires. It is asked once here, so that a failure shows early.
 * @throws {ToolError} if there are none.
 */
export async function findCredentials(
  access: AccessOptions,
  environment: Environment,
  onSecret: (secret: string) => void,
): Promise<() => Promise<Credentials>> {
  const fixed =
    templateCredentials(access) ?? (access.profile === undefined ? environmentCredentials(environment) : undefined);
  if (fixed !== undefined) {
    tellSecrets(fixed, onSecret);
    return () => Promise.resolve(fixed);
  }
  const { fromNodeProviderChain } = await import("./sdk-credentials.ts");
  const chain = fromNodeProviderChain({
    ...(access.profile === undefined ? {} : { profile: access.profile }),
    ...(access.shared_credentials_file === undefined ? {} : { filepath: access.shared_credentials_file }),
  });
  const provider = async (): Promise<Credentials> => {
    const found = await chain();
    tellSecrets(found, onSecret);
    return found;
  };
  try {
    await provider();
  } catch (cause) {
    throw new ToolError("ERR_NO_CREDENTIALS", `Cannot find AWS credentials: ${messageOf(cause)}`, {
      fault: "usage",
      hint: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile, or give the instance a role. To try amibake without an account, build with --local",
    });
  }
  return provider;
}

/** Before anything is done with them. Those of a role change while a build runs. */
function tellSecrets({ accessKeyId, secretAccessKey, sessionToken }: Credentials, onSecret: (secret: string) => void) {
  for (const secret of [accessKeyId, secretAccessKey, sessionToken]) if (secret !== undefined) onSecret(secret);
}

function templateCredentials({ access_key, secret_key, token }: AccessOptions): Credentials | undefined {
  if (!access_key || !secret_key) return undefined;
  return { accessKeyId: access_key, secretAccessKey: secret_key, ...(token ? { sessionToken: token } : {}) };
}

function environmentCredentials(environment: Environment): Credentials | undefined {
  const accessKeyId = environment["AWS_ACCESS_KEY_ID"] || environment["AWS_ACCESS_KEY"];
  const secretAccessKey = environment["AWS_SECRET_ACCESS_KEY"] || environment["AWS_SECRET_KEY"];
  if (!accessKeyId || !secretAccessKey) return undefined;
  const sessionToken = environment["AWS_SESSION_TOKEN"];
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
}

/**
 * Finds the region that is written down: in the template, AWS_REGION,
 * AWS_DEFAULT_REGION, or the profile. `undefined`: the instance decides.
 */
export async function findRegion(access: AccessOptions, environment: Environment): Promise<string | undefined> {
  return (
    access.region ||
    environment["AWS_REGION"] ||
    environment["AWS_DEFAULT_REGION"] ||
    (await import("./sdk-region.ts")).profileRegion(access.profile)
  );
}
