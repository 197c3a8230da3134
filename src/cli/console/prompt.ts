import { createInterface } from "node:readline";
import type { CliContext } from "../cli-context.ts";

/** Asks at a terminal, with a history and keys to edit the line, until it is told to exit or the input ends. */
export async function answerAtPrompt(
  answer: (line: string) => { readonly text: string | undefined } | "exit",
  { stdin, stdout }: Pick<CliContext, "stdin" | "stdout">,
): Promise<void> {
  // At a terminal it is the process's own stream.
  const output = stdout as NodeJS.WritableStream;
  const terminal = createInterface({ input: stdin, output, prompt: "> ", terminal: true });
  terminal.on("line", (line) => {
    const result = answer(line);
    if (result === "exit") {
      terminal.close();
      return;
    }
    if (result.text !== undefined) stdout.write(`${result.text}\n`);
    terminal.prompt();
  });
  // As in a shell: a line that was begun is dropped; an empty one ends it.
  terminal.on("SIGINT", () => {
    if (terminal.line === "") {
      stdout.write("\n");
      terminal.close();
      return;
    }
    stdout.write("^C\n");
    terminal.write(null, { ctrl: true, name: "u" });
    terminal.write(null, { ctrl: true, name: "k" });
    terminal.prompt();
  });
  terminal.prompt();
  await new Promise<void>((resolve) => terminal.once("close", resolve));
}
