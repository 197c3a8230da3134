import { resolve } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

// nodejs.org/api/cli.html. SSL_CERT_FILE and SSL_CERT_DIR count with --use-openssl-ca, which Debian's Node.js is built with.
const FILES = ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"];
const DIRECTORIES = "SSL_CERT_DIR";
const SWITCH = "NODE_USE_SYSTEM_CA";
const OPTIONS = ["--use-openssl-ca", "--use-bundled-ca", "--use-system-ca"];

/** What of an environment says whose certificates Node.js trusts, for a process that has another directory and nothing else of it. */
export function trustEnvironment(environment: Environment): Record<string, string> {
  const trust: Record<string, string> = {};
  for (const name of FILES) {
    const path = environment[name];
    if (path) trust[name] = resolve(path);
  }
  const directories = environment[DIRECTORIES];
  if (directories)
    trust[DIRECTORIES] = directories
      .split(":")
      .map((path) => path && resolve(path))
      .join(":");
  const switched = environment[SWITCH];
  if (switched) trust[SWITCH] = switched;
  // The others may be anything: a debugger, modules to load.
  const options = (environment["NODE_OPTIONS"] ?? "").split(/\s+/).filter((option) => OPTIONS.includes(option));
  if (options.length > 0) trust["NODE_OPTIONS"] = options.join(" ");
  return trust;
}
