import { type Fault, messageOf, ToolError } from "./errors.ts";

/** An error as it goes from one process of ours to another. */
export interface ErrorMessage {
  readonly code?: string | undefined;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly fault?: Fault | undefined;
  readonly cause?: ErrorMessage | undefined;
  /** Of an error that is our bug. */
  readonly stack?: string | undefined;
}

export function encodeError(error: unknown): ErrorMessage {
  const cause = error instanceof Error && error.cause !== undefined ? encodeError(error.cause) : undefined;
  if (!(error instanceof ToolError)) {
    return { message: messageOf(error), cause, stack: error instanceof Error ? error.stack : undefined };
  }
  const { code, message, hint, fault } = error;
  return { code, message, hint, fault, cause };
}

/** The error as it was in the other process, so that it is shown as if it had happened here. */
export function decodeError({ code, message, hint, fault, cause, stack }: ErrorMessage): Error {
  const inner = cause === undefined ? undefined : decodeError(cause);
  if (code === undefined || fault === undefined) {
    const error = new Error(message, inner === undefined ? {} : { cause: inner });
    return stack === undefined ? error : Object.assign(error, { stack });
  }
  return new ToolError(code as `ERR_${string}`, message, { hint, fault, cause: inner });
}
