import { systemClock } from "../../base/clock.ts";
import { type ForeignValues, readWithForeignValues } from "../../template/foreign-values.ts";
import type { CliContext } from "../cli-context.ts";

/**
 * Reads a template that may ask Consul, Vault or AWS Secrets Manager, by what the environment says of them. What that takes is
 * loaded when the first one asks: few templates do.
 */
export function readAskingServices<T>(
  context: CliContext,
  read: (foreignValues: ForeignValues) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  return readWithForeignValues(
    read,
    async (request, fetchSignal) => {
      const { foreignValueFetcher } = await import("../../foreign-values/fetch-foreign-values.ts");
      const fetch = foreignValueFetcher({
        environment: context.environment,
        clock: systemClock,
        onSecret: (secret) => context.secrets.add(secret),
      });
      return fetch(request, fetchSignal);
    },
    signal,
  );
}
