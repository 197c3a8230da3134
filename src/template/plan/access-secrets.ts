import type { BuildPlan } from "../build-plan.ts";

/** The keys that builders are given. */
export function addAccessSecrets(builds: readonly BuildPlan[], secrets: Set<string>): void {
  for (const { config } of builds) {
    const { access_key, secret_key, token } = config;
    for (const secret of [access_key, secret_key, token]) if (secret !== undefined) secrets.add(secret);
  }
}
