import { ToolError } from "../../base/errors.ts";
import { explainMountFailure } from "../devices/describe-content.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";

/** Turns an argument vector into the one that is run: `command_wrapper`, `mount_command` and `unmount_command` do. */
export type WrapCommand = (argv: readonly string[]) => readonly string[];

export interface MountOptions {
  /** A device path, a directory to bind, or a name the file system type knows. */
  readonly source: string;
  readonly mountpoint: string;
  /** The file system type, "bind", or nothing: mount(8) finds it. */
  readonly type?: string;
  /** Each becomes `-o` of its own. */
  readonly options?: readonly string[];
  readonly wrap: WrapCommand;
  readonly signal: AbortSignal;
}

interface MountFailure {
  readonly cause: unknown;
  readonly detail?: string;
  readonly hint: string;
}

/** A file system that could not be mounted. */
export class MountError extends ToolError {
  override readonly name = "MountError";
  readonly source: string;
  readonly mountpoint: string;

  constructor(source: string, mountpoint: string, { cause, detail, hint }: MountFailure) {
    const why = detail === undefined ? "" : `: ${detail}`;
    super("ERR_MOUNT_FAILED", `Cannot mount "${source}" on "${mountpoint}"${why}`, { cause, hint });
    this.source = source;
    this.mountpoint = mountpoint;
  }
}

/**
 * Mounts in the sandbox.
 *
 * @throws {MountError}
 */
export async function mount(sandbox: Sandbox, options: MountOptions): Promise<void> {
  const { source, mountpoint, type, wrap, signal } = options;
  const flags = (options.options ?? []).flatMap((option) => ["-o", option]);
  // A bind copies the propagation of its origin: what the host mounts there later would appear in the image, and keep it busy.
  const kind = type === "bind" ? ["--bind", "--make-private"] : type === undefined ? [] : ["-t", type];
  try {
    await sandbox.run(wrap(["mount", ...flags, ...kind, source, mountpoint]), { signal });
  } catch (cause) {
    signal.throwIfAborted();
    if (type !== undefined) throw new MountError(source, mountpoint, { cause, hint: "See dmesg | tail" });
    throw new MountError(source, mountpoint, { cause, ...(await explainMountFailure(source, signal)) });
  }
}
