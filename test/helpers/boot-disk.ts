import { messageOf } from "../../src/base/errors.ts";
import { startDaemon } from "../../src/linux/run-command.ts";

interface BootOptions {
  readonly format: "raw" | "qcow2";
  readonly text: string;
  /** Of an attempt. */
  readonly timeoutMs: number;
}

/**
 * Boots a disk in a virtual machine without hardware acceleration and waits until its serial
 * console shows the text. The disk is not written, and the machine is gone when this ends.
 *
 * A second attempt is made: an emulated machine of two processors hung once, of some dozens.
 *
 * @returns what the console showed until then.
 * @throws {Error} with the console's last lines, if the machine stops or the time is over first.
 */
export async function bootUntil(
  disk: string,
  options: BootOptions & { readonly onHang: (why: string) => void },
): Promise<string> {
  try {
    return await bootOnce(disk, options);
  } catch (error) {
    options.onHang(messageOf(error));
    return bootOnce(disk, options);
  }
}

async function bootOnce(disk: string, options: BootOptions): Promise<string> {
  const argv = ["qemu-system-x86_64", "-accel", "tcg", "-smp", "2", "-m", "512", "-display", "none", "-no-reboot"];
  argv.push("-nic", "none", "-serial", "stdio", "-monitor", "none");
  argv.push("-drive", `file=${disk},format=${options.format},if=virtio,snapshot=on`);
  const machine = await startDaemon(argv, { stdio: ["ignore", "pipe", "pipe"] });
  let shown = "";
  let complaint = "";
  machine.process.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    complaint += chunk;
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        reject(new Error(`The console did not show "${options.text}": ${why}\n${complaint}${shown.slice(-4000)}`));
      };
      machine.process.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
        shown += chunk;
        if (shown.includes(options.text)) resolve(shown);
      });
      timer = setTimeout(() => fail(`${options.timeoutMs / 1000} s are over`), options.timeoutMs);
      void machine.ended.then(() => fail("the machine stopped"));
    });
  } finally {
    clearTimeout(timer);
    machine.process.kill("SIGKILL");
    await machine.ended;
  }
}
