import { shellLine } from "../../base/shell-quote.ts";
import type { WrapCommand } from "../../linux/mounts/mount.ts";
import type { SharedBuilderConfig } from "../../template/schema/builder-fields.ts";

const PLAIN_WRAPPER = "{{.Command}}";

/** How a build's own commands are run: as the template's `command_wrapper`, `mount_command` and `unmount_command` say. */
export interface CommandWrappers {
  /** For every command that Packer wraps. */
  readonly wrap: WrapCommand;
  readonly wrapMount: WrapCommand;
  readonly wrapUnmount: WrapCommand;
}

/**
 * Without wrappers a command stays an argument vector. With one it is the user's
 * shell line, in which our words are quoted.
 */
export function commandWrappers(config: SharedBuilderConfig): CommandWrappers {
  const wrapper = config.command_wrapper;
  const wrapLine = (line: string): readonly string[] => ["/bin/sh", "-c", wrapper.render({ Command: line })];
  const isPlain = wrapper.source.replaceAll(/\s/g, "") === PLAIN_WRAPPER;
  const wrap: WrapCommand = (argv) => (isPlain ? argv : wrapLine(shellLine(argv)));
  const withCommand =
    (command: string, standard: string): WrapCommand =>
    (argv) => {
      if (command === standard) return wrap(argv);
      const line = `${command} ${shellLine(argv.slice(1))}`;
      return isPlain ? ["/bin/sh", "-c", line] : wrapLine(line);
    };
  return {
    wrap,
    wrapMount: withCommand(config.mount_command, "mount"),
    wrapUnmount: withCommand(config.unmount_command, "umount"),
  };
}
