import { type AccessOptions, findCredentials, findRegion } from "../aws/credentials.ts";
import { OwnResources } from "../aws/own-resources.ts";
import type { Clock } from "../base/clock.ts";
import type { BuildHostOptions, ConnectOptions } from "./build-host.ts";

/** How AWS is reached, and as whom. It is found out while its user looks for what else it needs. */
export interface Access extends ConnectOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly credentials: ReturnType<typeof findCredentials>;
  /** Of the template or the environment, if one of them names it. */
  readonly region: Promise<string | undefined>;
  /** Of EC2, where it is not AWS's own. */
  readonly endpoint: string | undefined;
  /** What all clients of this access have made. */
  readonly own: OwnResources;
}

type AccessHost = Pick<BuildHostOptions, "localCloud" | "onSecret"> & Pick<Access, "clock" | "environment">;

/**
 * @param config what the template says about access.
 * @returns also what of that counts: nothing where the local cloud decides.
 */
export function openAccess(
  config: AccessOptions & { readonly custom_endpoint_ec2?: string | undefined },
  { localCloud, onSecret = () => {}, clock, environment }: AccessHost,
  options: ConnectOptions,
): { readonly access: Access; readonly named: AccessOptions } {
  const named: AccessOptions = localCloud === undefined ? config : {};
  const configured = localCloud === undefined ? config.custom_endpoint_ec2 : undefined;
  const access = {
    ...options,
    environment,
    clock,
    own: new OwnResources(clock),
    endpoint: configured || environment["AWS_ENDPOINT_URL_EC2"] || environment["AWS_ENDPOINT_URL"] || undefined,
    credentials: findCredentials(named, environment, onSecret),
    region: findRegion(named, environment),
  };
  return { access, named };
}
