// Templates are read without waiting, and may not reach the network: what another service has to say is asked for in
// one reading, fetched by the caller, and there in the next one. A reading has no effects, so that it can be repeated;
// templates that ask nobody, nearly all of them, are read once. (A thread that the reading blocks on would need the
// services' clients in a second bundle, and could not be cancelled.)
import { messageOf, ToolError } from "../base/errors.ts";

/** A value that only another service has. Plain data: requests that are equal are one. */
export type ForeignRequest =
  | { readonly service: "consul"; readonly key: string }
  | { readonly service: "vault"; readonly path: string; readonly key: string }
  | {
      readonly service: "secretsmanager";
      readonly secretId: string;
      /** The part of a secret that is a JSON object. Missing for its only one, or for a secret that is just text. */
      readonly key?: string;
      /** The whole secret as it is, whatever is in it. */
      readonly isRaw?: boolean;
    };

export interface ForeignValues {
  /**
   * The value, or `undefined` if it is still to be fetched: then everything that is made in this reading is thrown away,
   * and any stand-in for the value will do.
   *
   * @throws {ForeignValueError} if it could not be fetched.
   */
  get(request: ForeignRequest): string | undefined;
}

/** A service that did not give the value. The message is fit to be shown at the place in the template that asks. */
export class ForeignValueError extends ToolError {
  override readonly name = "ForeignValueError";

  constructor(message: string, options: { cause?: unknown; hint?: string | undefined } = {}) {
    super("ERR_FOREIGN_VALUE", message, { ...options, fault: "usage" });
  }
}

/** Fetches one value. @throws {ForeignValueError} if the service does not give it, or the signal's reason. */
export type FetchForeignValue = (request: ForeignRequest, signal: AbortSignal) => Promise<string>;

/** Of a reading that must not ask anybody, such as `validate -syntax-only`. */
export const NO_FOREIGN_VALUES: ForeignValues = {
  get({ service }) {
    throw new ForeignValueError(`Only "build" and "validate" ask "${service}"`);
  },
};

// A value may name the next one, but no sane template does so more often.
const READINGS_MAX = 10;

/**
 * Reads until nothing is left to be fetched.
 *
 * @param read has no effects but its result, and asks for the same values when it is given the same answers. What it throws
 *   counts only if it has asked for nothing new.
 */
export async function readWithForeignValues<T>(
  read: (values: ForeignValues) => T | Promise<T>,
  fetch: FetchForeignValue,
  signal: AbortSignal,
): Promise<T> {
  const answers = new Map<string, string | ForeignValueError>();
  for (let reading = 1; ; reading++) {
    const needed = new Map<string, ForeignRequest>();
    const outcome = await settle(() => read(valuesOf(answers, needed)));
    if (needed.size === 0) return outcome();
    if (reading === READINGS_MAX) throw tooManyReadings(needed);
    await Promise.all(
      [...needed].map(async ([id, request]) => {
        answers.set(id, await answerTo(request, fetch, signal));
      }),
    );
  }
}

function valuesOf(
  answers: ReadonlyMap<string, string | ForeignValueError>,
  needed: Map<string, ForeignRequest>,
): ForeignValues {
  return {
    get(request) {
      const id = JSON.stringify(Object.entries(request).sort());
      const answer = answers.get(id);
      if (answer === undefined) needed.set(id, request);
      if (answer instanceof ForeignValueError) throw answer;
      return answer;
    },
  };
}

/** What a call gives, as a function that gives it or throws it later. */
async function settle<T>(work: () => T | Promise<T>): Promise<() => T> {
  try {
    const value = await work();
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

async function answerTo(
  request: ForeignRequest,
  fetch: FetchForeignValue,
  signal: AbortSignal,
): Promise<string | ForeignValueError> {
  try {
    return await fetch(request, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ForeignValueError) return error;
    return new ForeignValueError(`Cannot fetch a value from "${request.service}": ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function tooManyReadings(needed: ReadonlyMap<string, ForeignRequest>): ForeignValueError {
  const [next] = needed.values();
  const still = `after ${READINGS_MAX} readings it still asks for new values of "${next?.service}"`;
  return new ForeignValueError(`Cannot read the template: ${still}`, {
    hint: "Look for a value that is asked for by a name that changes each time, such as uuidv4()",
  });
}
