import { ToolError } from "../base/errors.ts";
import type { ShellProvisionerConfig } from "../template/schema/shell-provisioner.ts";
import type { ProvisionContext } from "./provision-context.ts";
import { renderList } from "./render-list.ts";

/**
 * The environment of a script as shell text: words in front of a command, or
 * with `use_env_var_file` a file of exports. Values arrive exactly, whatever is in them.
 *
 * @throws {ToolError} if a name, known only now, cannot be one.
 */
export function environmentText(
  config: ShellProvisionerConfig,
  context: Pick<ProvisionContext, "variables" | "buildName" | "buildType">,
): string {
  const format = config.env_var_format ?? (config.use_env_var_file ? "export %s='%s'\n" : "%s='%s' ");
  return [...environmentOf(config, context)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => formatVariable(format, name, value))
    .join("");
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Later ones win: Packer's own, then `environment_vars`, then `env`. */
function environmentOf(
  { environment_vars, env }: ShellProvisionerConfig,
  { variables, buildName, buildType }: Pick<ProvisionContext, "variables" | "buildName" | "buildType">,
): Map<string, string> {
  const environment = new Map([
    ["PACKER_BUILD_NAME", buildName],
    ["PACKER_BUILDER_TYPE", buildType],
  ]);
  for (const text of renderList(environment_vars, variables)) {
    const separator = text.indexOf("=");
    environment.set(text.slice(0, Math.max(0, separator)), text.slice(separator + 1));
  }
  for (const [name, value] of Object.entries(env)) environment.set(name, value.render(variables));
  for (const [name, value] of environment) checkVariable(name, value);
  return environment;
}

function checkVariable(name: string, value: string): void {
  if (!NAME.test(name)) {
    throw new ToolError("ERR_ENVIRONMENT_VARIABLE", `Cannot set the environment variable "${name}": it is not a name`, {
      hint: 'Write "NAME=value", the name with letters, digits and "_"',
    });
  }
  if (value.includes("\0")) {
    const message = `Cannot set the environment variable "${name}": its value has a NUL character`;
    throw new ToolError("ERR_ENVIRONMENT_VARIABLE", message);
  }
}

/** The value goes between the format's single quotes, so only those need care. */
function formatVariable(format: string, name: string, value: string): string {
  const values = [name, value.replaceAll("'", `'"'"'`)];
  return format.replace(/%[s%]/g, (verb) => (verb === "%%" ? "%" : (values.shift() ?? verb)));
}
