import type { BuildRenderer, RunResult } from "./build-renderer.ts";
import type { CleanEvent } from "./clean-events.ts";

/** A renderer that can stand still while somebody else has the terminal. What happens meanwhile is shown afterwards. */
export class HoldableRenderer implements BuildRenderer {
  readonly #renderer: BuildRenderer;
  #heldBack: (() => void)[] | undefined;

  constructor(renderer: BuildRenderer) {
    this.#renderer = renderer;
  }

  hold(): void {
    this.#heldBack ??= [];
    this.#renderer.hide?.();
  }

  resume(): void {
    const heldBack = this.#heldBack ?? [];
    this.#heldBack = undefined;
    this.#renderer.show?.();
    for (const show of heldBack) show();
  }

  event(event: CleanEvent): void {
    this.#show(() => this.#renderer.event(event));
  }

  note(text: string): void {
    this.#show(() => this.#renderer.note(text));
  }

  result(result: RunResult): void {
    this.#show(() => this.#renderer.result(result));
  }

  [Symbol.dispose](): void {
    this.#renderer[Symbol.dispose]();
  }

  #show(show: () => void): void {
    if (this.#heldBack === undefined) show();
    else this.#heldBack.push(show);
  }
}
