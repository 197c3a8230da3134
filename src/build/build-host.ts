import { type AccessOptions, findCredentials, findRegion } from "../aws/credentials.ts";
import type { Ec2Api } from "../aws/ec2-api.ts";
import { type InstanceIdentity, readInstanceIdentity } from "../aws/imds.ts";
import type { Polling } from "../aws/wait.ts";
import { ToolError } from "../base/errors.ts";
import { together } from "../base/together.ts";
import type { AmazonChrootConfig } from "../template/schema/amazon-chroot.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The world that the builds of one run share. */
export interface BuildHost {
  /** Of the process, or of the local cloud where that is used. */
  readonly environment: Environment;
  /** Where, and as whom, a build works. */
  connect(config: AmazonChrootConfig, options: ConnectOptions): Promise<Connection>;
}

export interface ConnectOptions {
  readonly signal: AbortSignal;
  readonly onRetry: (call: string, attempt: number, reason: string) => void;
}

export interface Connection extends Disposable {
  readonly ec2: Ec2Api;
  readonly instance: InstanceIdentity;
  readonly polling: Polling | undefined;
}

/**
 * @param options.localCloud what `amibake local start` prints: it then decides endpoint, region and credentials,
 *   whatever the template says, so that a template for AWS is tried out unchanged.
 */
export function createBuildHost(options: {
  readonly environment: Environment;
  readonly localCloud?: Readonly<Record<string, string>>;
}): BuildHost {
  const environment = { ...options.environment, ...options.localCloud };
  return {
    environment,
    async connect(config, { signal, onRetry }) {
      const access: AccessOptions = options.localCloud === undefined ? config : {};
      const configured = options.localCloud === undefined ? config.custom_endpoint_ec2 : undefined;
      const endpoint =
        configured || environment["AWS_ENDPOINT_URL_EC2"] || environment["AWS_ENDPOINT_URL"] || undefined;
      const [instance, credentials, namedRegion, { createEc2Api }] = await together([
        readInstanceIdentity(environment, signal),
        findCredentials(access, environment),
        findRegion(access, environment),
        import("../aws/ec2-sdk.ts"),
      ]);
      const region = namedRegion ?? instance.region;
      if (region !== instance.region) throw wrongRegion(region, instance);
      const ec2 = createEc2Api({ region, credentials, endpoint, signal, onRetry });
      return { ec2, instance, polling: pollingOf(config, environment), [Symbol.dispose]: () => ec2[Symbol.dispose]() };
    },
  };
}

function wrongRegion(region: string, instance: InstanceIdentity): ToolError {
  const message = `Cannot build in ${region} on an instance of ${instance.region}: a volume is attached in its own zone only`;
  return new ToolError("ERR_REGION", message, {
    fault: "usage",
    hint: `Leave the region out, or build on an instance in ${region}`,
  });
}

// Packer's numbers where only one of the two is given: 40 attempts, or 15 s.
const POLLING_ATTEMPTS_MAX = 40;
const POLLING_DELAY_SECONDS = 15;

function pollingOf({ aws_polling }: AmazonChrootConfig, environment: Environment): Polling | undefined {
  const delaySeconds = aws_polling?.delay_seconds ?? positive(environment["AWS_POLL_DELAY_SECONDS"]);
  const attemptsMax = aws_polling?.max_attempts ?? positive(environment["AWS_MAX_ATTEMPTS"]);
  if (delaySeconds === undefined && attemptsMax === undefined) return undefined;
  return {
    delayMs: (delaySeconds ?? POLLING_DELAY_SECONDS) * 1000,
    attemptsMax: attemptsMax ?? POLLING_ATTEMPTS_MAX,
  };
}

function positive(text: string | undefined): number | undefined {
  const number = Number(text);
  return text !== undefined && Number.isInteger(number) && number > 0 ? number : undefined;
}
