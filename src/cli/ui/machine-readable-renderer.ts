import { artifactId } from "../../build/baked-image.ts";
import type { AmiArtifact } from "../../build/build-events.ts";
import type { OutputStream } from "../cli-context.ts";
import type { BuildRenderer, RunResult } from "./build-renderer.ts";
import type { CleanEvent } from "./clean-events.ts";
import type { ErrorReport } from "./error-report.ts";
import { eventText } from "./event-text.ts";
import { machineReadableLine } from "./machine-readable-line.ts";
import { sanitise } from "./sanitise.ts";

// Scripts that read Packer's artifacts look for this id.
const BUILDER_ID = "mitchellh.amazon.chroot";

/** Packer's `-machine-readable`, for the scripts that read it. */
export class MachineReadableRenderer implements BuildRenderer {
  readonly #write: (target: string, type: string, ...data: readonly string[]) => void;

  constructor(stdout: OutputStream, now: () => Date = () => new Date()) {
    this.#write = (target, type, ...data) => stdout.write(machineReadableLine(now(), target, type, data));
  }

  event(event: CleanEvent): void {
    switch (event.type) {
      case "step-started":
        this.#say("say", `==> ${event.build}: ${event.title}`);
        break;
      // Packer does not tell these.
      case "step-progress":
      case "step-finished":
      case "step-failed":
        break;
      default:
        for (const { level, text } of eventText(event)) {
          if (level === "detail") this.#say("message", `    ${event.build}: ${sanitise(text)}`);
          else this.#say(level === "error" ? "error" : "say", `==> ${event.build}: ${text}`);
        }
    }
  }

  note(text: string): void {
    this.#say("say", `==> ${text}`);
  }

  result({ artifacts, failures, leftovers }: RunResult): void {
    if (failures.length > 0) {
      this.#write("", "error-count", String(failures.length));
      this.#say("error", "\n==> Some builds did not complete successfully and had errors:");
      for (const { build, error } of failures) {
        this.#write(build, "error", fullMessage(error));
        this.#say("error", `--> ${build}: ${fullMessage(error)}`);
      }
    }
    for (const { kind, id, enterWith, removeWith } of leftovers) {
      const enter = enterWith === undefined ? "" : `; enter it with: ${enterWith}`;
      this.#say("error", `Left behind: ${kind} ${id}${enter}; remove it with: ${removeWith}`);
    }
    const outcome =
      artifacts.length === 0 ? " but no artifacts were created." : ". The artifacts of successful builds are:";
    this.#say("say", `\n==> Builds finished${outcome}`);
    for (const { build, artifact } of artifacts) this.#artifact(build, artifact);
  }

  [Symbol.dispose](): void {
    // Every line is complete when it is written.
  }

  #artifact(build: string, artifact: AmiArtifact): void {
    const images = Object.entries(artifact.images);
    const text = `AMIs were created:\n${images.map(([region, id]) => `${region}: ${id}\n`).join("")}`;
    this.#write(build, "artifact-count", "1");
    this.#write(build, "artifact", "0", "builder-id", BUILDER_ID);
    this.#write(build, "artifact", "0", "id", artifactId(artifact));
    this.#write(build, "artifact", "0", "string", text);
    this.#write(build, "artifact", "0", "files-count", "0");
    this.#write(build, "artifact", "0", "end");
    this.#say("say", `--> ${build}: ${text}`);
  }

  #say(kind: "say" | "message" | "error", text: string): void {
    this.#write("", "ui", kind, text);
  }
}

function fullMessage({ message, causes, hint }: ErrorReport): string {
  return [[message, ...causes].join(": "), ...(hint === undefined ? [] : [`hint: ${hint}`])].join("\n");
}
