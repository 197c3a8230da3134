interface RefusedResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null | undefined };
  readonly body: Uint8Array;
}

/** In the shape of the SDK's exceptions, so that errors are classified in one place. */
export class Refusal extends Error {
  readonly Code: string;
  readonly Reason: string | undefined;
  readonly $metadata: { readonly httpStatusCode: number; readonly requestId: string | undefined };

  constructor({ status, headers, body }: RefusedResponse) {
    const fields = jsonFields(body);
    super(fields["message"] ?? fields["Message"] ?? `status ${status}`);
    // "ValidationException:http://internal.amazon.com/…"; in bodies "com.amazonaws.ebs#ValidationException".
    const type = headers.get("x-amzn-errortype") ?? fields["__type"] ?? fields["code"] ?? "UnknownError";
    this.Code = type.replace(/:.*$/s, "").replace(/^.*#/s, "");
    this.Reason = fields["Reason"];
    this.$metadata = { httpStatusCode: status, requestId: headers.get("x-amzn-requestid") ?? undefined };
  }
}

function jsonFields(body: Uint8Array): Record<string, string | undefined> {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString());
    return typeof value === "object" && value !== null ? (value as Record<string, string | undefined>) : {};
  } catch {
    // A proxy's page, or nothing.
    return {};
  }
}
