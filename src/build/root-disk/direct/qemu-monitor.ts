import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";

/** What a QEMU program tells of its own accord. */
export interface QemuEvent {
  readonly event: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** A connection to a QEMU program, by QMP: qemu.org/docs/master/interop/qmp-spec.html. */
export interface QemuMonitor extends AsyncDisposable {
  /**
   * Resolves when every event of what has happened by now has been told.
   *
   * @throws {Error} if the program has ended.
   */
  settle(): Promise<void>;
}

interface Answer extends Partial<QemuEvent> {
  readonly id?: number;
}

/**
 * Connects to a program that has just been started.
 *
 * @param path of its socket.
 * @param onEnd called if the program ends before this is disposed of.
 */
export async function openQemuMonitor(
  path: string,
  { onEvent, onEnd }: { readonly onEvent: (event: QemuEvent) => void; readonly onEnd: () => void },
): Promise<QemuMonitor> {
  const socket = connect(path);
  await once(socket, "connect");
  const waiting = new Map<number, (isAnswered: boolean) => void>();
  let askedCount = 0;
  let isOver = false;
  createInterface({ input: socket }).on("line", (line) => {
    const { id, event, ...rest } = JSON.parse(line) as Answer;
    if (event !== undefined) onEvent({ event, ...rest });
    else if (id !== undefined) waiting.get(id)?.(true);
  });
  // Why it broke does not matter: the program has ended.
  socket.on("error", () => {});
  socket.once("close", () => {
    if (!isOver) onEnd();
    isOver = true;
    for (const answer of waiting.values()) answer(false);
  });
  const execute = async (command: string): Promise<void> => {
    const id = askedCount++;
    // Only who waits for it keeps this process alive.
    socket.ref();
    const isAnswered = await new Promise<boolean>((resolve) => {
      waiting.set(id, resolve);
      if (isOver) resolve(false);
      else socket.write(`${JSON.stringify({ execute: command, id })}\n`);
    });
    waiting.delete(id);
    if (waiting.size === 0) socket.unref();
    if (!isAnswered) throw new Error("qemu-storage-daemon has ended");
  };
  const close = (): void => {
    isOver = true;
    socket.destroy();
  };
  try {
    // Before that it tells of no event.
    await execute("qmp_capabilities");
  } catch (error) {
    close();
    throw error;
  }
  // Answers and events come in the order in which they were made.
  return { settle: () => execute("query-version"), [Symbol.asyncDispose]: async () => close() };
}
