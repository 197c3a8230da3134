import type { Ec2Api } from "../aws/ec2-api.ts";
import type { Polling } from "../aws/wait.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { together } from "../base/together.ts";
import type { BuilderPlan } from "../template/build-plan.ts";
import type { SharedBuilderConfig } from "../template/schema/builder-fields.ts";
import { type Access, openAccess } from "./access.ts";
import type { BuilderMeans } from "./build-context.ts";
import { type BuildPlace, journalDirectory } from "./journal/journal-entries.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The world that the builds of one run share. */
export interface BuildHost {
  /** Of the process, or of the local cloud where that is used. */
  readonly environment: Environment;
  /** Of every deadline, poll and pause of the builds. */
  readonly clock: Clock;
  readonly journalDirectory: string;
  /** Where, and as whom, a build works. */
  connect(plan: BuilderPlan, options: ConnectOptions): Promise<Connection>;
}

export interface ConnectOptions {
  readonly signal: AbortSignal;
  readonly onRetry: (call: string, attempt: number, reason: string) => void;
}

export interface Connection extends Disposable {
  readonly ec2: Ec2Api;
  readonly means: BuilderMeans;
  /** Told to the user: "i-0123 in us-east-1" */
  readonly where: string;
  readonly polling: Polling | undefined;
  /** What the journal says of it. */
  readonly place: BuildPlace;
}

export interface BlockCachePlace {
  readonly directory: string;
  /** The argument vector that runs the block server of this cache. */
  readonly serverCommand: readonly string[];
}

export interface BuildHostOptions {
  readonly environment: Environment;
  /**
   * What `amibake local start` prints: it then decides endpoint, region and credentials, whatever the template says, so
   * that a template for AWS is tried out unchanged.
   */
  readonly localCloud?: Readonly<Record<string, string>>;
  /** The directory of the local cloud that the builds work on, whichever way they were told of it. */
  readonly store?: string | undefined;
  /** Told of each value that must never be shown, as it is found. */
  readonly onSecret?: (secret: string) => void;
  readonly clock?: Clock;
  /** Where blocks of snapshots are kept. Only amazon-direct needs it. */
  readonly blockCache?: () => BlockCachePlace;
}

export function createBuildHost(options: BuildHostOptions): BuildHost {
  const { clock = systemClock, localCloud } = options;
  const environment = { ...options.environment, ...localCloud };
  return {
    environment,
    clock,
    journalDirectory: journalDirectory(environment),
    async connect(plan, { signal, onRetry }) {
      const { config } = plan;
      const { access, named } = openAccess(config, { ...options, clock, environment }, { signal, onRetry });
      const [found, credentials, { createEc2Api }] = await together([
        findMeans(plan, access, options),
        access.credentials,
        import("../aws/ec2-sdk.ts"),
        // Looked at from the beginning, also if it fails before the builder asks for it.
        access.region,
      ]);
      const ec2 = createEc2Api({ ...access, region: found.region, credentials });
      return {
        ec2,
        means: found.means,
        where: found.where,
        polling: pollingOf(config, environment),
        place: {
          accountId: found.accountId,
          region: found.region,
          store: options.store,
          endpoint: access.endpoint && withoutPassword(access.endpoint),
          profile: named.profile,
          sharedCredentialsFile: named.shared_credentials_file,
        },
        [Symbol.dispose]() {
          ec2[Symbol.dispose]();
          found[Symbol.dispose]();
        },
      };
    },
  };
}

/** Whose account it is and where, with what its builder needs there. */
export interface FoundMeans extends Disposable {
  readonly means: BuilderMeans;
  readonly accountId: string;
  readonly region: string;
  /** "i-0123 in us-east-1" */
  readonly where: string;
}

async function findMeans(plan: BuilderPlan, access: Access, options: BuildHostOptions): Promise<FoundMeans> {
  if (plan.type === "amazon-chroot") {
    const { findChrootMeans } = await import("./root-disk/attached/chroot-means.ts");
    return findChrootMeans(plan.config, access);
  }
  const { findDirectMeans } = await import("./root-disk/direct/direct-means.ts");
  return findDirectMeans(plan.config, access, options);
}

function withoutPassword(endpoint: string): string {
  if (!URL.canParse(endpoint)) return endpoint;
  return Object.assign(new URL(endpoint), { username: "", password: "" }).href;
}

// Packer's numbers where only one of the two is given: 40 attempts, or 15 s.
const POLLING_ATTEMPTS_MAX = 40;
const POLLING_DELAY_SECONDS = 15;

function pollingOf({ aws_polling }: SharedBuilderConfig, environment: Environment): Polling | undefined {
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
