import { once } from "node:events";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startDaemon } from "../../src/linux/run-command.ts";

export interface NbdBase extends AsyncDisposable {
  readonly socketPath: string;
  readonly exportName: string;
}

/** A file as an NBD export, by qemu: what an overlay can lie on without any snapshot. */
export async function serveFile(path: string, directory: string): Promise<NbdBase> {
  const socketPath = join(directory, "base.sock");
  const file = { driver: "file", filename: path, "read-only": true };
  const daemon = await startDaemon(
    [
      ...[
        "qemu-storage-daemon",
        "--blockdev",
        JSON.stringify({ driver: "raw", "node-name": "file", file, "read-only": true }),
      ],
      ...["--nbd-server", `addr.type=unix,addr.path=${socketPath}`],
      ...["--export", JSON.stringify({ type: "nbd", id: "base", "node-name": "file", name: "base" })],
    ],
    { stdio: ["ignore", "ignore", "inherit" as never] },
  );
  while (!(await stat(socketPath).catch(() => undefined))) await delay(10);
  return {
    socketPath,
    exportName: "base",
    async [Symbol.asyncDispose]() {
      const ended = once(daemon.process, "exit");
      daemon.process.kill();
      await ended;
    },
  };
}
