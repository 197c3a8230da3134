import { formatDuration } from "../../base/units.ts";
import type { BuildRenderer, RunResult } from "./build-renderer.ts";
import type { CleanEvent } from "./clean-events.ts";
import { eventText, progressText, type TextLine } from "./event-text.ts";
import { LineWriter } from "./line-writer.ts";
import { LiveArea } from "./live-area.ts";
import type { TextRendererOptions } from "./plain-renderer.ts";
import { artifactText, failureText } from "./result-text.ts";

interface RunningStep {
  readonly build: string;
  readonly title: string;
  readonly startedMs: number;
  progress: string;
  /** What the progress said last, without its percentage. */
  detail: string;
  /** Its title stands above already, because something was printed during the step. */
  hasHeading: boolean;
}

/**
 * For people who watch: what is done stays as lines, and what is being done is a
 * line for each build at the bottom, with its elapsed time.
 */
export class TerminalRenderer implements BuildRenderer {
  readonly #options: TextRendererOptions;
  readonly #writer: LineWriter;
  readonly #area: LiveArea;
  readonly #now: () => number;
  /** Steps under way by build, in the order in which they began. */
  readonly #running = new Map<string, Map<string, RunningStep>>();
  readonly #failed = new Set<string>();

  constructor(options: TextRendererOptions, now: () => number = Date.now) {
    this.#options = options;
    this.#now = now;
    this.#writer = new LineWriter(options);
    this.#area = new LiveArea(options.stdout, () => this.#liveLines(), now);
  }

  event(event: CleanEvent): void {
    switch (event.type) {
      case "step-started":
        this.#startStep(event);
        break;
      case "step-progress":
        this.#progressStep(event);
        break;
      case "step-finished":
        this.#endStep(event, formatDuration(event.elapsedMs));
        break;
      case "step-failed":
        this.#endStep(event, `failed after ${formatDuration(event.elapsedMs)}`);
        this.#failed.add(event.build);
        break;
      default:
        this.#printHeading(event);
        for (const line of eventText(event)) this.#print(event, line);
    }
  }

  note(text: string): void {
    this.#area.print(this.#options.colours.yellow(`==> ${text}`));
  }

  result(result: RunResult): void {
    this[Symbol.dispose]();
    const { stdout, stderr, colours } = this.#options;
    for (const line of artifactText(result, colours)) stdout.write(`${line}\n`);
    for (const line of failureText(result, colours)) stderr.write(`${line}\n`);
  }

  hide(): void {
    this.#area.hide();
  }

  show(): void {
    this.#area.show();
  }

  [Symbol.dispose](): void {
    this.#area[Symbol.dispose]();
  }

  #stepsOf(build: string): Map<string, RunningStep> {
    const steps = this.#running.get(build) ?? new Map<string, RunningStep>();
    this.#running.set(build, steps);
    return steps;
  }

  #startStep(event: Extract<CleanEvent, { readonly type: "step-started" }>): void {
    const { build, title, time } = event;
    const startedMs = time.getTime();
    const step = { build, title, startedMs, progress: "", detail: "", hasHeading: false };
    this.#stepsOf(build).set(event.step, step);
    this.#area.refresh();
  }

  #progressStep(event: Extract<CleanEvent, { readonly type: "step-progress" }>): void {
    const step = this.#stepsOf(event.build).get(event.step);
    if (step === undefined) return;
    step.progress = progressText(event);
    step.detail = event.text;
    this.#area.refresh();
  }

  #endStep(event: CleanEvent & { readonly step: string; readonly title: string }, how: string): void {
    const step = this.#stepsOf(event.build).get(event.step);
    this.#stepsOf(event.build).delete(event.step);
    const { dim } = this.#options.colours;
    const title = step === undefined || step.detail === "" ? event.title : `${event.title}: ${step.detail}`;
    if (step?.hasHeading) this.#print(event, { level: "detail", text: dim(`${title}  ${how}`) });
    else this.#print(event, { level: "heading", text: `${title}  ${dim(how)}` });
  }

  /** A line during a step comes under the step's title. */
  #printHeading(event: CleanEvent): void {
    const step = [...this.#stepsOf(event.build).values()].at(-1);
    if (step === undefined || step.hasHeading) return;
    step.hasHeading = true;
    this.#print(event, { level: "heading", text: step.title });
  }

  #print(event: CleanEvent, line: TextLine): void {
    const isDimmed = this.#failed.has(event.build);
    for (const text of this.#writer.format(event.build, line, event.time, { isDimmed })) this.#area.print(text);
  }

  #liveLines(): string[] {
    const { dim } = this.#options.colours;
    const lines: string[] = [];
    for (const [build, steps] of this.#running) {
      const step = [...steps.values()].at(-1);
      if (step === undefined) continue;
      const elapsed = formatDuration(Math.max(0, this.#now() - step.startedMs));
      const progress = step.progress === "" ? "" : `: ${step.progress}`;
      lines.push(`${this.#writer.paintOf(build)(`... ${build}:`)} ${step.title}${progress}  ${dim(elapsed)}`);
    }
    return lines;
  }
}
