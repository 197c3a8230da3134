const CREDENTIAL_VARIABLES = [
  "AWS_ACCESS_KEY_ID",
  "AWS_ACCESS_KEY",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SECRET_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_SECURITY_TOKEN",
  "AWS_CONTAINER_AUTHORIZATION_TOKEN",
];

type Environment = Readonly<Record<string, string | undefined>>;

/** The values in an environment that must never be printed: AWS's credentials, and the passwords of proxies. */
export function secretsIn(environment: Environment): string[] {
  const credentials = CREDENTIAL_VARIABLES.flatMap((name) => environment[name] ?? []);
  const proxies = Object.entries(environment).filter(([name]) => /_proxy$/i.test(name));
  return [...credentials, ...proxies.flatMap(([, url]) => passwordsIn(url ?? ""))];
}

/** Of a URL: as it is written, and as it is meant. */
function passwordsIn(url: string): string[] {
  const written = /^(?:[a-z][a-z0-9+.-]*:\/\/)?[^/@:]*:([^/]*)@/i.exec(url)?.[1];
  if (written === undefined) return [];
  try {
    return [written, decodeURIComponent(written)];
  } catch {
    // A lone "%": it is meant as it is written.
    return [written];
  }
}
