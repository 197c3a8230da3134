import { templateSchema } from "../../template/json-schema/template-schema.ts";
import type { CliContext } from "../cli-context.ts";
import type { ExitCode } from "../exit-codes.ts";

/** Prints the JSON Schema of JSON templates. */
export async function runSchema(_options: unknown, { stdout }: CliContext): Promise<ExitCode> {
  stdout.write(`${JSON.stringify(templateSchema(), undefined, 2)}\n`);
  return 0;
}
