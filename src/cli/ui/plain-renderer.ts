import { formatDuration } from "../../base/units.ts";
import type { OutputStream } from "../cli-context.ts";
import type { BuildRenderer, RunResult } from "./build-renderer.ts";
import type { CleanEvent } from "./clean-events.ts";
import type { Colours } from "./colours.ts";
import { eventText, progressText, type TextLine } from "./event-text.ts";
import { LineWriter } from "./line-writer.ts";
import { artifactText, failureText } from "./result-text.ts";

export interface TextRendererOptions {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly colours: Colours;
  readonly hasTimestamps: boolean;
}

// A log in a file needs a sign of life, not each percent.
const SIGN_OF_LIFE_EVERY_MS = 10_000;

type StepEnd = Extract<CleanEvent, { readonly type: "step-finished" | "step-failed" }>;
type StepProgress = Extract<CleanEvent, { readonly type: "step-progress" }>;

interface StepState {
  isTitleFar: boolean;
  /** The progress that was printed last, and when. */
  text: string;
  isCount: boolean;
  shownMs: number;
}

/** Lines that are never taken back: for files, pipes and CI. */
export class PlainRenderer implements BuildRenderer {
  readonly #options: TextRendererOptions;
  readonly #writer: LineWriter;
  readonly #steps = new Map<string, StepState>();
  readonly #failed = new Set<string>();

  constructor(options: TextRendererOptions) {
    this.#options = options;
    this.#writer = new LineWriter(options);
  }

  event(event: CleanEvent): void {
    switch (event.type) {
      case "step-started":
        this.#print(event, { level: "heading", text: event.title });
        this.#loseTitles(event);
        this.#steps.set(stepKey(event), {
          isTitleFar: false,
          text: "",
          isCount: false,
          shownMs: event.time.getTime(),
        });
        break;
      case "step-progress":
        if (this.#isNews(event)) this.#print(event, { level: "detail", text: progressText(event) });
        break;
      case "step-finished":
        this.#endStep(event, "done in");
        break;
      case "step-failed":
        this.#failed.add(event.build);
        this.#endStep(event, "failed after");
        break;
      default:
        if (event.type === "output") this.#loseTitles(event);
        for (const line of eventText(event)) this.#print(event, line);
    }
  }

  note(text: string): void {
    this.#options.stdout.write(`==> ${text}\n`);
  }

  result(result: RunResult): void {
    const { stdout, stderr, colours } = this.#options;
    for (const line of artifactText(result, colours)) stdout.write(`${line}\n`);
    for (const line of failureText(result, colours)) stderr.write(`${line}\n`);
  }

  [Symbol.dispose](): void {
    // Nothing to take back.
  }

  #print(event: CleanEvent, line: TextLine): void {
    const isDimmed = this.#failed.has(event.build);
    for (const text of this.#writer.format(event.build, line, event.time, { isDimmed })) {
      this.#options.stdout.write(`${text}\n`);
    }
  }

  #endStep(event: StepEnd, how: string): void {
    const isTitleFar = this.#steps.get(stepKey(event))?.isTitleFar ?? true;
    this.#steps.delete(stepKey(event));
    const title = isTitleFar ? `${event.title}: ` : "";
    this.#print(event, { level: "detail", text: `${title}${how} ${formatDuration(event.elapsedMs)}` });
  }

  /** What comes between the title of a step and its end makes "done" unclear. */
  #loseTitles(event: CleanEvent): void {
    for (const [key, state] of this.#steps) {
      if (key.startsWith(buildKey(event))) state.isTitleFar = true;
    }
  }

  /** Another text is news; that a count went on, or a percentage, is a sign of life, now and then. */
  #isNews(event: StepProgress): boolean {
    const state = this.#steps.get(stepKey(event));
    if (state === undefined) return true;
    const nowMs = event.time.getTime();
    const isCount = event.percent !== undefined;
    const isNews = event.text !== state.text && !(isCount && state.isCount);
    if (!isNews && nowMs - state.shownMs < SIGN_OF_LIFE_EVERY_MS) return false;
    state.text = event.text;
    state.isCount = isCount;
    state.shownMs = nowMs;
    return true;
  }
}

function buildKey({ build }: { readonly build: string }): string {
  return `${JSON.stringify(build)} `;
}

function stepKey(event: { readonly build: string; readonly step: string }): string {
  return buildKey(event) + event.step;
}
