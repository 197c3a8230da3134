import { type ForeignRequest, ForeignValueError, type ForeignValues } from "../foreign-values.ts";
import { type TemplateFunction, TemplateFunctionError } from "./template-function.ts";

/**
 * The functions whose values other services have.
 *
 * @param secrets gets the values of those services that are there to keep secrets.
 */
export function createForeignFunctions(values: ForeignValues, secrets: Set<string>): Map<string, TemplateFunction> {
  const secret = (request: ForeignRequest): string => {
    const text = answerOf(values, request);
    if (text !== "") secrets.add(text);
    return text;
  };
  return new Map<string, TemplateFunction>([
    [
      "consul_key",
      {
        parameters: ["text"],
        usage: "consul_key `app/version`",
        summary: "The value of a key of Consul; only in `variables`",
        call: (key: string) => answerOf(values, { service: "consul", key }),
      },
    ],
    [
      "vault",
      {
        parameters: ["text", "text"],
        usage: "vault `/secret/data/app` `password`",
        summary: "A field of a secret of Vault, which is hidden in output; only in `variables`",
        call: (path: string, key: string) => secret({ service: "vault", path, key }),
      },
    ],
    [
      "aws_secretsmanager",
      {
        parameters: ["text", "text"],
        optionalCount: 1,
        usage: "aws_secretsmanager `app/login` `password`",
        summary:
          "A secret of AWS Secrets Manager, or a key of one that is a JSON object, which is hidden in output; only in `variables`",
        call: (secretId: string, key = "") =>
          secret({ service: "secretsmanager", secretId, ...(key === "" ? {} : { key }) }),
      },
    ],
    [
      "aws_secretsmanager_raw",
      {
        parameters: ["text"],
        usage: "aws_secretsmanager_raw `app/login`",
        summary: "A secret of AWS Secrets Manager as it is, which is hidden in output; only in `variables`",
        call: (secretId: string) => secret({ service: "secretsmanager", secretId, isRaw: true }),
      },
    ],
  ]);
}

function answerOf(values: ForeignValues, request: ForeignRequest): string {
  let value: string | undefined;
  try {
    value = values.get(request);
  } catch (error) {
    if (!(error instanceof ForeignValueError)) throw error;
    throw new TemplateFunctionError(error.message, error.hint === undefined ? {} : { hint: error.hint });
  }
  if (value !== undefined) return value;
  // The next reading has it; what is said in this one is thrown away.
  throw new TemplateFunctionError(`The value of "${request.service}" is still to be fetched`, { isTold: true });
}
