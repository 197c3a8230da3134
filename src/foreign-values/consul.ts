import type { Clock } from "../base/clock.ts";
import { ForeignValueError } from "../template/foreign-values.ts";
import { askService, type Service, wayLost } from "./ask-service.ts";
import { type Environment, isSwitchedOff, isSwitchedOn, readCertificates } from "./environment.ts";

const DEFAULT_ADDRESS = "127.0.0.1:8500";

/** The value of a key in Consul, found by the variables that Consul's own clients read. @throws {ForeignValueError} */
export async function consulValue(
  key: string,
  { environment, clock }: { environment: Environment; clock: Clock },
  signal: AbortSignal,
): Promise<string> {
  const service = consulService(key, environment);
  const problem = (reason: string, hint?: string) =>
    new ForeignValueError(
      `Cannot get key "${key}" from Consul at ${service.socketPath ?? service.url.origin}: ${reason}`,
      { hint },
    );
  const answer = await askService(service, clock, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    throw problem(wayLost(error), `${environment["CONSUL_HTTP_ADDR"] ? "Check" : "Set"} CONSUL_HTTP_ADDR`);
  });
  switch (answer.status) {
    case 200:
      if (answer.body === "") throw problem("its value is empty");
      return answer.body;
    case 404:
      throw problem("there is no such key", `See which there are: consul kv get -keys ${JSON.stringify(key)}`);
    case 403:
      throw problem("the token may not read it", "Set CONSUL_HTTP_TOKEN to a token with key:read");
    default:
      throw problem(`it answers with status ${answer.status}`);
  }
}

function consulService(key: string, environment: Environment): Service {
  const address = environment["CONSUL_HTTP_ADDR"] || DEFAULT_ADDRESS;
  const socketPath = /^unix:\/\/(.+)$/.exec(address)?.[1];
  const scheme = isSwitchedOn(environment["CONSUL_HTTP_SSL"]) ? "https" : "http";
  const origin =
    socketPath !== undefined ? "http://localhost" : /^https?:\/\//.test(address) ? address : `${scheme}://${address}`;
  if (!URL.canParse(origin)) {
    throw new ForeignValueError(`Cannot ask Consul: CONSUL_HTTP_ADDR is "${address}", which is no address`, {
      hint: "Write it as host:port or https://host:port",
    });
  }
  const path = key.replace(/^\//, "").split("/").map(encodeURIComponent).join("/");
  const url = new URL(`${origin.replace(/\/$/, "")}/v1/kv/${path}`);
  url.searchParams.set("raw", "");
  if (environment["CONSUL_NAMESPACE"]) url.searchParams.set("ns", environment["CONSUL_NAMESPACE"]);
  const token = environment["CONSUL_HTTP_TOKEN"];
  const user = environment["CONSUL_HTTP_AUTH"];
  return {
    url,
    socketPath,
    headers: {
      ...(token ? { "x-consul-token": token } : {}),
      ...(user ? { authorization: `Basic ${Buffer.from(user).toString("base64")}` } : {}),
    },
    trusted: readCertificates("CONSUL_CACERT", environment),
    isVerified: !isSwitchedOff(environment["CONSUL_HTTP_SSL_VERIFY"]),
  };
}
