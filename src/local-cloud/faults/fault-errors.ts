import { ApiError } from "../protocol/api-error.ts";
import { type Authenticated, credentialsExpired, type Service } from "../protocol/authenticate.ts";
import type { FaultOf } from "./fault-kinds.ts";

/** The connection is to be closed without an answer. */
export class ConnectionReset extends Error {
  override readonly name = "ConnectionReset";
}

interface StruckCall extends Authenticated {
  readonly service: Service;
  readonly action: string;
}

/** What the client gets for a call that a fault has struck, as its service says it. */
export function faultError(fault: FaultOf<"instead" | "after">, call: StruckCall): ApiError | ConnectionReset {
  const errors = ERRORS[call.service];
  switch (fault) {
    case "reset-before":
    case "reset-after":
      return new ConnectionReset();
    case "throttle":
      return errors.throttled();
    case "internal-error":
    case "error-after":
      return errors.internal();
    case "unavailable":
      return errors.unavailable();
    case "expired-credentials":
      return credentialsExpired(call.service);
    case "denied":
      return errors.denied(unauthorized(call));
  }
}

/** What a service answers when it is to blame. */
export function internalError(service: Service): ApiError {
  return ERRORS[service].internal();
}

interface ServiceErrors {
  readonly throttled: () => ApiError;
  readonly internal: () => ApiError;
  readonly unavailable: () => ApiError;
  /** @param sentence who may not do what. */
  readonly denied: (sentence: string) => ApiError;
}

const ERRORS: Readonly<Record<Service, ServiceErrors>> = {
  ec2: {
    throttled: requestLimitExceeded,
    internal: () => new ApiError("InternalError", "An internal error has occurred", 500),
    unavailable: () => new ApiError("Unavailable", "The service is unavailable. Please try again shortly.", 503),
    denied: (sentence) =>
      new ApiError("UnauthorizedOperation", `You are not authorized to perform this operation. ${sentence}`, 403),
  },
  sts: {
    throttled: () => new ApiError("Throttling", "Rate exceeded"),
    internal: () =>
      new ApiError("InternalFailure", "The request processing has failed because of an unknown error.", 500),
    unavailable: serviceUnavailable,
    denied: (sentence) => new ApiError("AccessDenied", sentence, 403),
  },
  ebs: {
    throttled: accountThrottled,
    internal: () => new ApiError("InternalServerException", "An internal error has occurred", 500),
    unavailable: serviceUnavailable,
    denied: (sentence) => new ApiError("AccessDeniedException", sentence, 403, "UNAUTHORIZED_ACCOUNT"),
  },
};

function serviceUnavailable(): ApiError {
  return new ApiError("ServiceUnavailable", "The request has failed due to a temporary failure of the server.", 503);
}

/** What the EBS direct APIs answer beyond the rate of the account. */
export function accountThrottled(): ApiError {
  return new ApiError("ThrottlingException", "Rate exceeded", 400, "ACCOUNT_THROTTLED");
}

export function requestLimitExceeded(): ApiError {
  return new ApiError("RequestLimitExceeded", "Request limit exceeded.", 503);
}

function unauthorized({ service, action, caller: { arn } }: StruckCall): string {
  const permission = `${service}:${action}`;
  return `User: ${arn} is not authorized to perform: ${permission} because no identity-based policy allows the ${permission} action`;
}
