import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** Aborts when this program is to end: a worker then finishes what it is at, and gives back what it uses. */
export function endRequested(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => controller.abort());
  return controller.signal;
}

/**
 * Runs this program again as several workers, `--worker 0` and so on, and passes on each line of JSON that they print.
 *
 * @returns how many of them failed.
 */
export async function runWorkers<Line>(count: number, onLine: (line: Line) => void): Promise<number> {
  const [, program = "", ...args] = process.argv;
  const end = endRequested();
  const exitCodes = await Promise.all(
    Array.from({ length: count }, async (_, number) => {
      const argv = [...process.execArgv, program, ...args, "--worker", String(number)];
      const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"] });
      const ended = once(child, "exit");
      end.addEventListener("abort", () => child.kill("SIGTERM"));
      for await (const line of createInterface({ input: child.stdout })) onLine(JSON.parse(line) as Line);
      const [exitCode] = (await ended) as [number | null];
      return exitCode;
    }),
  );
  return exitCodes.filter((exitCode) => exitCode !== 0).length;
}
