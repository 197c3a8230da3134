import type { IncomingMessage } from "node:http";
import { type Clock, deadlineWithin } from "../base/clock.ts";
import { messageOf, systemCode } from "../base/errors.ts";
import { retry } from "../base/retry.ts";
import { formatDuration } from "../base/units.ts";

/** Where a service is, and how it is spoken to. */
export interface Service {
  readonly url: URL;
  /** Of a Unix socket, in place of the host of the URL. */
  readonly socketPath?: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Certificates in PEM that are trusted in place of the system's. */
  readonly trusted?: string | undefined;
  /** Whether the certificate of the service is checked. */
  readonly isVerified: boolean;
}

export interface ServiceAnswer {
  readonly status: number;
  readonly body: string;
}

// Somebody waits for a template to be read.
const ANSWER_MS = 10_000;
const ATTEMPTS_MAX = 3;
const BODY_BYTES_MAX = 4 * 1024 ** 2;

/**
 * Asks a service by HTTP. What passes, such as a lost connection or a status of 500 and more, is tried again.
 *
 * @throws the connection's error, or the signal's reason.
 */
export async function askService(service: Service, clock: Clock, signal: AbortSignal): Promise<ServiceAnswer> {
  let last: ServiceAnswer | undefined;
  try {
    return await retry(
      async () => {
        last = undefined;
        using deadline = deadlineWithin(signal, clock, ANSWER_MS);
        try {
          last = await askOnce(service, deadline.signal);
        } catch (error) {
          if (deadline.isOver && !signal.aborted)
            throw new NoAnswerError(`no answer within ${formatDuration(ANSWER_MS)}`);
          throw error;
        }
        if (last.status >= 500) throw new NoAnswerError(`status ${last.status}`);
        return last;
      },
      {
        attemptsMax: ATTEMPTS_MAX,
        backoffMsFirst: 250,
        backoffMsMax: 1_000,
        isTransient: (error) => error instanceof NoAnswerError || systemCode(error) === "ECONNRESET",
        clock,
      },
      signal,
    );
  } catch (error) {
    if (last !== undefined && !signal.aborted) return last;
    throw error;
  }
}

class NoAnswerError extends Error {}

async function askOnce(service: Service, signal: AbortSignal): Promise<ServiceAnswer> {
  const { url, socketPath, headers, trusted, isVerified } = service;
  const { request } = url.protocol === "https:" ? await import("node:https") : await import("node:http");
  const message = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = {
      headers,
      signal,
      rejectUnauthorized: isVerified,
      ...(trusted === undefined ? {} : { ca: trusted }),
      ...(socketPath === undefined ? {} : { socketPath }),
    };
    // Without an agent no connection is kept, which would keep the process.
    request(url, { ...options, agent: false }, resolve)
      .once("error", reject)
      .end();
  });
  const chunks: Buffer[] = [];
  let byteCount = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    byteCount += chunk.byteLength;
    if (byteCount > BODY_BYTES_MAX) throw new Error("the answer is too long");
  }
  return { status: message.statusCode ?? 0, body: Buffer.concat(chunks).toString() };
}

/** What went wrong on the way, for people. */
export function wayLost(error: unknown): string {
  const message = messageOf(error);
  // Where several addresses were tried there is a code only.
  return message === "" ? (systemCode(error) ?? "no answer") : message;
}
