import { type ForeignRequest, ForeignValueError, type ForeignValues } from "../../foreign-values.ts";
import { stringValue, unknownValue } from "../values/construct.ts";
import { type HclValue, STRING } from "../values/value.ts";
import { argumentAt, type HclFunctionGroup, textAt, textParameter } from "./arguments.ts";
import { HclFunctionError } from "./hcl-function.ts";

export function foreignFunctions(values: ForeignValues): HclFunctionGroup {
  return {
    aws_secretsmanager: {
      usage: 'aws_secretsmanager("sample/app/password", null)',
      summary:
        "A secret of AWS Secrets Manager: a text, or the value of a key of a JSON object; null takes its only one",
      parameters: [textParameter("name"), { ...textParameter("key"), allowsNull: true }],
      returnType: STRING,
      call: (args) => {
        const secretId = textAt(args, 0);
        const isWithKey = argumentAt(args, 1).content !== null && textAt(args, 1) !== "";
        return answer(values, { service: "secretsmanager", secretId, ...(isWithKey ? { key: textAt(args, 1) } : {}) });
      },
    },
    aws_secretsmanager_raw: {
      usage: 'aws_secretsmanager_raw("sample/app/password")',
      summary: "A secret of AWS Secrets Manager as it is, also if it is a JSON object",
      parameters: [textParameter("name")],
      returnType: STRING,
      call: (args) => answer(values, { service: "secretsmanager", secretId: textAt(args, 0), isRaw: true }),
    },
    consul_key: {
      usage: 'consul_key("example/name")',
      summary: "The value of a key of Consul at CONSUL_HTTP_ADDR",
      parameters: [textParameter("key")],
      returnType: STRING,
      call: (args) => answer(values, { service: "consul", key: textAt(args, 0) }),
    },
    vault: {
      usage: 'vault("/secret/data/hello", "foo")',
      summary: "A field of a secret of Vault at VAULT_ADDR, by its path; those of version 2 have /data/ in it",
      parameters: [textParameter("path"), textParameter("key")],
      returnType: STRING,
      call: (args) => answer(values, { service: "vault", path: textAt(args, 0), key: textAt(args, 1) }),
    },
  };
}

/** What is still to be fetched is unknown in this reading, so that it also finds out what else is needed. */
function answer(values: ForeignValues, request: ForeignRequest): HclValue {
  try {
    const text = values.get(request);
    return text === undefined ? unknownValue(STRING) : stringValue(text);
  } catch (error) {
    if (!(error instanceof ForeignValueError)) throw error;
    throw new HclFunctionError(error.message, error.hint === undefined ? {} : { hint: error.hint });
  }
}
