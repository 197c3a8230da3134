import { spawn } from "node:child_process";
import { shellLine } from "../../src/base/shell-quote.ts";

/** A command that runs at a real pseudo terminal, and what a person sees and types there. */
export interface Terminal extends AsyncDisposable {
  /** Everything that was printed, as it came. */
  readonly screen: () => string;
  /** Resolves once the text has been printed after what was waited for before. */
  waitFor(text: string): Promise<void>;
  type(text: string): void;
  /** Its exit code. */
  readonly ended: Promise<number | null>;
}

const WAIT_MS_MAX = 60_000;

export const CTRL_C = "\x03";

/** script(1), of util-linux, makes the terminal. */
export function runAtTerminal(
  argv: readonly string[],
  options: { readonly env: Readonly<Record<string, string>>; readonly cwd: string },
): Terminal {
  const script = ["--quiet", "--flush", "--return", "--command", shellLine(argv), "/dev/null"];
  const child = spawn("script", script, {
    cwd: options.cwd,
    env: { PATH: process.env["PATH"] ?? "", HOME: "/root", TERM: "xterm", LC_ALL: "C", ...options.env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let screen = "";
  let seen = 0;
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    screen += chunk;
  });
  child.stdin.on("error", () => {});
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode) => {
      child.stdin.end();
      resolve(exitCode);
    });
  });
  return {
    screen: () => screen,
    ended,
    async [Symbol.asyncDispose]() {
      // A terminal that is closed: for a test that failed before the end.
      child.kill("SIGHUP");
      await ended;
    },
    type: (text) => void child.stdin.write(text),
    waitFor: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const index = screen.indexOf(text, seen);
          if (index < 0) return;
          seen = index + text.length;
          child.stdout.off("data", look);
          resolve();
        };
        child.stdout.on("data", look);
        const tooLate = () => reject(new Error(`"${text}" was not printed in time:\n${screen}`));
        setTimeout(tooLate, WAIT_MS_MAX).unref();
        void ended.then(() => reject(new Error(`It ended without printing "${text}":\n${screen}`)));
        look();
      }),
  };
}
