import * as z from "zod/mini";
import type { Component } from "./component.ts";
import { described, durationMs, EVEN_WITH_OTHER_PROBLEMS, plannedText, provisionerText } from "./fields.ts";

/** Of `execute_command`: the environment, the script's path, and the path of the file with the environment. */
export const EXECUTE_VARIABLES = ["Vars", "Path", "EnvVarFile"] as const;

const ENVIRONMENT_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The keys of a `shell` provisioner, less those that every provisioner has. */
export const shellProvisionerSchema = z
  .strictObject({
    inline: described(z.optional(z.array(provisionerText())), "Commands, which are put in one script"),
    script: described(z.optional(z.string()), "Path of a script on this host"),
    scripts: described(z._default(z.array(z.string()), []), "Paths of scripts on this host, run one after the other"),
    environment_vars: described(z._default(z.array(provisionerText()), []), "Environment of the script: `NAME=value`"),
    env: described(
      z._default(z.record(z.string(), provisionerText()), {}),
      "Environment of the script; wins over `environment_vars`",
    ),
    inline_shebang: described(
      z.optional(z.string()),
      "First line of the `inline` script without `#!`. Default: `/bin/sh -e`, if the text has none itself",
    ),
    execute_command: described(
      z.optional(provisionerText(EXECUTE_VARIABLES)),
      "How the script is run. Default: `chmod +x {{.Path}}; {{.Vars}} {{.Path}}`, " +
        "with `use_env_var_file` `chmod +x {{.Path}}; . {{.EnvVarFile}} && {{.Path}}`",
    ),
    env_var_format: described(
      z.optional(
        z
          .string()
          .check(
            z.refine(
              (format) => (format.match(/%s/g) ?? []).length === 2,
              '"env_var_format" must have "%s" twice: the name and the value',
            ),
          ),
      ),
      "How a variable is written; `%s` twice. Default: `%s='%s' `, with `use_env_var_file` `export %s='%s'\\n`",
    ),
    use_env_var_file: described(
      z._default(z.boolean(), false),
      "Put the environment in a file, which `execute_command` reads",
    ),
    remote_path: described(
      z.optional(z.string().check(z.startsWith("/", 'must start with "/"'))),
      "Where the script is put in the image",
    ),
    remote_folder: described(
      z._default(z.string().check(z.startsWith("/", 'must start with "/"')), "/tmp"),
      "Folder of the script in the image",
    ),
    remote_file: described(
      z.optional(z.string().check(z.regex(/^[^/]+$/, "must be a file name"))),
      "File name of the script in the image. Without it, `script_<number>.sh`",
    ),
    binary: described(z._default(z.boolean(), false), "Keep Windows line ends, which are otherwise made Unix ones"),
    skip_clean: described(z._default(z.boolean(), false), "Leave the script in the image"),
    valid_exit_codes: described(
      z._default(z.array(z.int().check(z.minimum(0), z.maximum(255))), [0]),
      "Exit codes that mean success",
    ),
    start_retry_timeout: described(
      z._default(durationMs(), 300_000),
      "How long a script that cannot be started because the host is short of something is tried again",
    ),
    pause_after: described(z._default(durationMs(), 0), "How long to wait after the scripts"),
    expect_disconnect: described(
      z.optional(z.boolean()),
      "Accepted for Packer's sake: a chroot has no connection to lose",
    ),
  })
  .check(
    z.superRefine((config, context) => {
      for (const { path, message } of problemsOf(config))
        context.addIssue({ code: "custom", path: [...path], message });
    }, EVEN_WITH_OTHER_PROBLEMS),
  );

export type ShellProvisionerConfig = z.infer<typeof shellProvisionerSchema>;

interface Problem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

function problemsOf(config: Partial<ShellProvisionerConfig>): Problem[] {
  const { inline, script, scripts = [], environment_vars = [], env = {} } = config;
  const problems: Problem[] = [];
  const hasInline = inline !== undefined && inline.length > 0;
  const kinds = [hasInline && "inline", script !== undefined && "script", scripts.length > 0 && "scripts"];
  const given = kinds.filter((kind) => kind !== false);
  if (given.length === 0) problems.push({ path: [], message: 'One of "inline", "script" and "scripts" is required' });
  if (given.length > 1) {
    problems.push({ path: given.slice(1, 2), message: `"${given[1]}" cannot stand beside "${given[0]}"` });
  }
  environment_vars.forEach((variable, index) => {
    const text = plannedText(variable);
    const problem = text === undefined ? undefined : environmentProblem(text);
    if (problem !== undefined) problems.push({ path: ["environment_vars", index], message: problem });
  });
  for (const name of Object.keys(env).filter((name) => !ENVIRONMENT_NAME.test(name))) {
    problems.push({ path: ["env", name], message: `"${name}" cannot be the name of an environment variable` });
  }
  return problems;
}

/** Why a `NAME=value` cannot be used, or `undefined`. The value may be a secret and is not shown. */
export function environmentProblem(variable: string): string | undefined {
  const [name = "", ...rest] = variable.split("=");
  if (rest.length === 0) return 'An item of "environment_vars" must be "NAME=value"; this one has no "="';
  return ENVIRONMENT_NAME.test(name) ? undefined : `"${name}" cannot be the name of an environment variable`;
}

export const shellProvisioner: Component<ShellProvisionerConfig> = {
  kind: "provisioner",
  type: "shell",
  schema: shellProvisionerSchema,
  keysNotYet: [],
};
