import { ReadStream } from "node:fs";
import type { TemplateConsole } from "../../template/template-evaluator.ts";
import type { CliContext } from "../cli-context.ts";
import { consoleHelp } from "../console/console-help.ts";
import type { ExitCode } from "../exit-codes.ts";
import { createCleaner } from "../ui/clean-events.ts";
import { chooseColours } from "../ui/create-renderer.ts";
import { formatError } from "../ui/format-error.ts";
import { say } from "../ui/say.ts";
import { readOptions, type VariableOptions } from "./template-options.ts";

export interface ConsoleOptions extends VariableOptions {
  readonly configType?: "json" | "hcl2";
}

/**
 * Evaluates expressions. As in Packer, a file is answered line by line until one is `exit`, and of a pipe the value of the
 * last line is printed; `exit` is a line without a value there. What is wrong with any is told.
 *
 * @returns 2 if a line of that input could not be evaluated.
 */
export async function runConsole(
  path: string | undefined,
  options: ConsoleOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { evaluateTyped, openConsole } = await import("../../template/template-evaluator.ts");
  const template = await openConsole(path, {
    ...readOptions(options, context),
    language: options.configType ?? "json",
  });
  for (const secret of template.secrets) context.secrets.add(secret);
  const session = new Session(template, evaluateTyped, context);
  if (context.stdin.isTTY) {
    const { answerAtPrompt } = await import("../console/prompt.ts");
    await answerAtPrompt((line) => session.answer(line), context);
    return 0;
  }
  const { LineReader } = await import("../line-reader.ts");
  using signal = context.abortOnSignals();
  const lines = new LineReader(context.stdin);
  const answersEach = isFile(context.stdin);
  let last: string | undefined;
  for (let line = await lines.next(signal); line !== undefined; line = await lines.next(signal)) {
    const result = session.answer(line);
    if (answersEach && result === "exit") break;
    last = result === "exit" ? "" : result.text;
    if (answersEach && last !== undefined) say(last, context, "message");
  }
  if (!answersEach && last !== undefined) say(last, context, "message");
  return session.hasFailed ? 2 : 0;
}

/** Node reads pipes, sockets and terminals by streams of other classes. */
function isFile(input: CliContext["stdin"]): boolean {
  return input instanceof ReadStream;
}

/** What a line is answered with; nothing if it could not be evaluated, which has been told. */
type Answer = { readonly text: string | undefined } | "exit";

type Evaluate = (template: TemplateConsole, file: string, text: string) => string;

class Session {
  readonly #template: TemplateConsole;
  readonly #evaluate: Evaluate;
  readonly #context: CliContext;
  #lineCount = 0;
  hasFailed = false;

  constructor(template: TemplateConsole, evaluate: Evaluate, context: CliContext) {
    this.#template = template;
    this.#evaluate = evaluate;
    this.#context = context;
  }

  answer(line: string): Answer {
    this.#lineCount++;
    switch (line.trim()) {
      case "exit":
        return "exit";
      case "":
        return { text: "" };
      case "help":
        return { text: consoleHelp(this.#template.language) };
      case "variables":
        return { text: this.#shown(this.#template.variables()) };
      default:
        return { text: this.#value(line) };
    }
  }

  #value(line: string): string | undefined {
    try {
      return this.#shown(this.#evaluate(this.#template, `<line ${this.#lineCount}>`, line));
    } catch (error) {
      this.hasFailed = true;
      const { stderr, secrets } = this.#context;
      const colours = chooseColours({ ...this.#context, stdout: stderr });
      for (const text of formatError(createCleaner(secrets).error(error), colours)) stderr.write(`${text}\n`);
      return undefined;
    }
  }

  /** Values may be of others: they must not move the cursor. */
  #shown(text: string): string {
    return createCleaner(this.#context.secrets).text(text);
  }
}
