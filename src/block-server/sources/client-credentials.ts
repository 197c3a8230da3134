import type { Credentials } from "../../aws/credentials.ts";
import type { PlainCredentials } from "../control/protocol.ts";

/** As the SDK: so long before they expire they are asked for anew. */
const EARLY_MS = 300_000;

/** The credentials that a client has, in memory, asked for when they are needed and again before they expire. */
export class ClientCredentials {
  readonly #ask: () => Promise<PlainCredentials>;
  #asking: Promise<PlainCredentials> | undefined;
  #known: PlainCredentials | undefined;

  constructor(ask: () => Promise<PlainCredentials>) {
    this.#ask = ask;
  }

  /** @throws why the client has none. */
  async get(): Promise<Credentials> {
    const known = this.#known;
    const isGood = known !== undefined && (known.expirationMs ?? Number.POSITIVE_INFINITY) - EARLY_MS > Date.now();
    const { expirationMs, ...keys } = isGood ? known : await this.#askOnce();
    // The SDK keeps what does not expire for ever. Asking us again costs nothing.
    return { ...keys, expiration: new Date(0) };
  }

  /**
   * Asks for others, after EBS has said that these have expired.
   *
   * @returns whether they are others.
   */
  async renew(): Promise<boolean> {
    const before = this.#known;
    const now = await this.#askOnce();
    return now.accessKeyId !== before?.accessKeyId || now.sessionToken !== before?.sessionToken;
  }

  #askOnce(): Promise<PlainCredentials> {
    this.#asking ??= this.#ask()
      .then((answer) => {
        this.#known = answer;
        return answer;
      })
      .finally(() => {
        this.#asking = undefined;
      });
    return this.#asking;
  }
}
