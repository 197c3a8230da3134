import { readFileSync } from "node:fs";

/** Put in by the bundler, which knows package.json; absent when run from source. */
declare const AMIBAKE_VERSION: string | undefined;

export function amibakeVersion(): string {
  if (typeof AMIBAKE_VERSION === "string") return AMIBAKE_VERSION;
  const packageJson = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return packageJson.version;
}
