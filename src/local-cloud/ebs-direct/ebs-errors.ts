// Exceptions of the EBS direct APIs, with the reasons of their model. docs/fidelity.md tells which are guessed.
import { ApiError } from "../protocol/api-error.ts";

export type ValidationReason =
  | "INVALID_PAGE_TOKEN"
  | "INVALID_BLOCK_TOKEN"
  | "INVALID_SNAPSHOT_ID"
  | "UNRELATED_SNAPSHOTS"
  | "INVALID_BLOCK"
  | "INVALID_CONTENT_ENCODING"
  | "INVALID_TAG"
  | "INVALID_CUSTOMER_KEY"
  | "INVALID_PARAMETER_VALUE"
  | "INVALID_VOLUME_SIZE"
  | "CONFLICTING_BLOCK_UPDATE"
  | "WRITE_REQUEST_TIMEOUT";

export function invalid(reason: ValidationReason, message: string): ApiError {
  return new ApiError("ValidationException", message, 400, reason);
}

/** In the words of AWS's framework. */
export function violated(
  value: string | number,
  member: string,
  constraint: string,
  reason: ValidationReason = "INVALID_PARAMETER_VALUE",
): ApiError {
  const sentence = `Value '${value}' at '${member}' failed to satisfy constraint: Member must ${constraint}`;
  return invalid(reason, `1 validation error detected: ${sentence}`);
}

export function missing(member: string): ApiError {
  const sentence = `Value null at '${member}' failed to satisfy constraint: Member must not be null`;
  return invalid("INVALID_PARAMETER_VALUE", `1 validation error detected: ${sentence}`);
}

export function snapshotNotFound(id: string): ApiError {
  return new ApiError("ResourceNotFoundException", `The snapshot '${id}' does not exist.`, 404, "SNAPSHOT_NOT_FOUND");
}

export function unauthorizedAccount(id: string): ApiError {
  const message = `The account is not authorized to access the snapshot '${id}'.`;
  return new ApiError("AccessDeniedException", message, 403, "UNAUTHORIZED_ACCOUNT");
}

/** What is not what its type says. */
export function unreadable(message: string): ApiError {
  return new ApiError("SerializationException", message);
}

export function snapshotThrottled(): ApiError {
  return new ApiError("RequestThrottledException", "Rate exceeded", 400, "RESOURCE_LEVEL_THROTTLE");
}
