import { z } from "zod";
import type { Deferred } from "../deferred.ts";

const deferred = z.custom<Deferred>();

/** The keys of a `shell` provisioner, less those that every provisioner has. */
export const shellProvisionerSchema = z.strictObject({
  inline: z.array(deferred).optional(),
  scripts: z.array(z.string()).default([]),
  environment_vars: z.array(deferred).default([]),
  env: z.record(z.string(), deferred).default({}),
  inline_shebang: z.string().optional(),
  execute_command: deferred,
  env_var_format: z.string(),
  use_env_var_file: z.boolean().default(false),
  remote_path: z.string().optional(),
  remote_folder: z.string().default("/tmp"),
  remote_file: z.string().optional(),
  binary: z.boolean().default(false),
  skip_clean: z.boolean().default(false),
  valid_exit_codes: z.array(z.number().int()).default([0]),
  start_retry_timeout: z.number(),
  pause_after: z.number(),
});

export type ShellProvisionerConfig = z.infer<typeof shellProvisionerSchema>;
