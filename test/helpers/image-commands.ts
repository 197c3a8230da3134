import assert from "node:assert/strict";
import { type ChrootOptions, chrootCommunicator } from "../../src/linux/sandbox/chroot-communicator.ts";
import type { ImageFixture } from "./image-fixture.ts";

/** The communicator that builds use, on a mounted image; `run` asserts success and gives the lines of output. */
export function communicatorOf(
  { sandbox }: Pick<ImageFixture, "sandbox">,
  mountpoint: string,
  options: Partial<ChrootOptions> = {},
) {
  const ended: string[] = [];
  const communicator = chrootCommunicator({
    sandbox,
    mountpoint,
    wrap: (argv) => argv,
    onProcessesEnded: (processes) => ended.push(...processes.map(({ commandLine }) => commandLine)),
    ...options,
    environment: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", ...options.environment },
  });
  const run = async (commandLine: string): Promise<string[]> => {
    const lines: string[] = [];
    const exitCode = await communicator.run(commandLine, {
      signal: new AbortController().signal,
      onLine: (_stream, line) => lines.push(line),
    });
    assert.equal(exitCode, 0, lines.join("\n"));
    return lines;
  };
  return { communicator, run, ended };
}
