import type { Socket } from "node:net";
import { decodeError, type ErrorMessage, encodeError } from "../../base/error-message.ts";
import { readMessages, sendMessage } from "../../linux/daemons/control-socket.ts";

/** What one side can be called for. */
export type Calls = { readonly [name: string]: { readonly parameters: unknown; readonly result: unknown } };

export type Handlers<Mine extends Calls> = {
  readonly [Name in keyof Mine]: (parameters: Mine[Name]["parameters"]) => Promise<Mine[Name]["result"]>;
};

type Message =
  | { readonly call: string; readonly id?: number; readonly parameters: unknown }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: ErrorMessage };

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** The other side has gone, and will never answer. */
export class PeerGoneError extends Error {
  override readonly name = "PeerGoneError";
}

/** One end of a connection on which both sides call each other: a JSON value a line. */
export class Peer<Mine extends Calls, Theirs extends Calls> {
  readonly #socket: Socket;
  readonly #handlers: Handlers<Mine>;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #hasEnded = false;

  constructor(socket: Socket, handlers: Handlers<Mine>) {
    this.#socket = socket;
    this.#handlers = handlers;
  }

  /** @throws what the other side threw, or {PeerGoneError}. */
  async call<Name extends keyof Theirs & string>(
    name: Name,
    parameters: Theirs[Name]["parameters"],
  ): Promise<Theirs[Name]["result"]> {
    if (this.#hasEnded) throw new PeerGoneError(`Nobody is there to answer "${name}"`);
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      sendMessage(this.#socket, { call: name, id, parameters });
    });
  }

  /** Calls without waiting for an answer. */
  tell<Name extends keyof Theirs & string>(name: Name, parameters: Theirs[Name]["parameters"]): void {
    sendMessage(this.#socket, { call: name, parameters });
  }

  /**
   * Answers the other side until it has gone, or the signal is aborted.
   *
   * @throws if it says what is no message. Nothing is answered any more.
   */
  async run(signal?: AbortSignal): Promise<void> {
    try {
      for await (const message of readMessages(this.#socket, signal)) this.#take(message as Message);
    } finally {
      this.#hasEnded = true;
      for (const { reject } of this.#waiting.values()) reject(new PeerGoneError("The other side has gone"));
      this.#waiting.clear();
    }
  }

  #take(message: Message): void {
    if ("call" in message) return void this.#answer(message);
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if ("error" in message) waiting?.reject(decodeError(message.error));
    else waiting?.resolve(message.result);
  }

  async #answer({ call, id, parameters }: { call: string; id?: number; parameters: unknown }): Promise<void> {
    let answer: { result: unknown } | { error: ErrorMessage };
    try {
      if (!Object.hasOwn(this.#handlers, call)) throw new TypeError(`There is no call "${call}"`);
      // Both sides are of one version; the parameters are what its own other half sent.
      const handler = this.#handlers[call] as (parameters: unknown) => Promise<unknown>;
      answer = { result: await handler(parameters) };
    } catch (error) {
      answer = { error: encodeError(error) };
    }
    if (id !== undefined) sendMessage(this.#socket, { id, ...answer });
  }
}
