/**
 * An error that goes over the wire, named as AWS names it.
 *
 * Codes and statuses are those of the EC2 API's error table, of STS's common errors
 * (docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html) and of the EBS direct APIs' model.
 */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: string;
  /** HTTP status. */
  readonly status: number;
  /** What some exceptions of the EBS direct APIs say beside their name: "INVALID_BLOCK_TOKEN". */
  readonly reason: string | undefined;

  constructor(code: string, message: string, status = 400, reason?: string) {
    super(message);
    this.code = code;
    this.status = status;
    this.reason = reason;
  }
}

export function missingParameter(name: string): ApiError {
  return new ApiError("MissingParameter", `The request must contain the parameter ${name}`);
}

/** AWS's general sentence for a value it cannot take, with the reason after it. */
export function invalidValue(value: string | number, parameter: string, reason = ""): ApiError {
  const sentence = `Value (${value}) for parameter ${parameter} is invalid.`;
  return new ApiError("InvalidParameterValue", reason === "" ? sentence : `${sentence} ${reason}`);
}

export function invalidParameterValue(message: string): ApiError {
  return new ApiError("InvalidParameterValue", message);
}

export function invalidCombination(message: string): ApiError {
  return new ApiError("InvalidParameterCombination", message);
}

export function incorrectState(message: string): ApiError {
  return new ApiError("IncorrectState", message);
}
