// Event sequences that the renderers' tests share.
import { ToolError } from "../../src/base/errors.ts";
import type { BuildEvent, NamedBuildEvent } from "../../src/build/build-events.ts";
import type { OutputStream } from "../../src/cli/cli-context.ts";

/** Collects what is written. */
export class RecordedStream implements OutputStream {
  text = "";
  readonly isTTY: boolean;
  columns = 80;

  constructor(isTTY = false) {
    this.isTTY = isTTY;
  }

  write(text: string): boolean {
    this.text += text;
    return true;
  }

  /** What was written since the last call. */
  take(): string {
    const text = this.text;
    this.text = "";
    return text;
  }
}

export const START = new Date("2026-11-23T09:00:00.000Z");

/** @param seconds after START. */
export function at(seconds: number, event: BuildEvent, build = "debian"): NamedBuildEvent {
  return { ...event, build, time: new Date(START.getTime() + seconds * 1000) };
}

export const ARTIFACT = {
  imageName: "web-1",
  images: { "us-east-1": "ami-0aa", "eu-west-1": "ami-0bb" },
  snapshots: { "us-east-1": ["snap-0aa", "snap-0ab"], "eu-west-1": ["snap-0bb"] },
};

export const SUCCESS: readonly NamedBuildEvent[] = [
  at(0, { type: "step-started", step: "step-1", title: "Creating the volume" }),
  at(0.1, { type: "resource-created", kind: "volume", id: "vol-0aa", region: "us-east-1" }),
  at(1.2, { type: "step-finished", step: "step-1", title: "Creating the volume", elapsedMs: 1200 }),
  at(1.2, { type: "step-started", step: "step-2", title: "Running the shell provisioner" }),
  at(1.3, { type: "output", stream: "stdout", line: "Setting up \x1b[32mnginx\x1b[0m\x1b[2K, done" }),
  at(1.4, { type: "output", stream: "stderr", line: "" }),
  at(1.5, { type: "warning", text: "The image has no network", hint: "Set copy_files" }),
  at(2.2, { type: "step-finished", step: "step-2", title: "Running the shell provisioner", elapsedMs: 1000 }),
  at(2.2, { type: "step-started", step: "step-3", title: "Creating the snapshot" }),
  at(2.3, { type: "step-progress", step: "step-3", text: "snap-0aa", percent: 0 }),
  at(3, { type: "retry", call: "DescribeSnapshots", attempt: 1, reason: "RequestLimitExceeded" }),
  at(5, { type: "step-progress", step: "step-3", text: "snap-0aa", percent: 34 }),
  at(13, { type: "step-progress", step: "step-3", text: "snap-0aa", percent: 71.5 }),
  at(20.2, { type: "step-finished", step: "step-3", title: "Creating the snapshot", elapsedMs: 18_000 }),
  at(20.2, { type: "build-finished", artifact: ARTIFACT, elapsedMs: 20_200 }),
];

export const FAILURE: readonly NamedBuildEvent[] = [
  at(0, { type: "step-started", step: "step-1", title: "Running the shell provisioner" }),
  at(0.5, { type: "step-failed", step: "step-1", title: "Running the shell provisioner", elapsedMs: 500 }),
  at(0.5, { type: "step-started", step: "step-2", title: "Deleting the volume" }),
  at(0.6, {
    type: "leftover",
    leftover: {
      kind: "volume",
      id: "vol-0aa",
      removeWith: "aws ec2 delete-volume --volume-id vol-0aa",
      error: new Error("it is in use"),
    },
  }),
  at(0.7, { type: "step-finished", step: "step-2", title: "Deleting the volume", elapsedMs: 200 }),
  at(0.8, {
    type: "build-failed",
    error: new ToolError("ERR_SCRIPT_FAILED", 'Cannot run the script "setup.sh" with hunter2: exit code is 3', {
      hint: "Look at its last lines",
    }),
    elapsedMs: 800,
  }),
];

/** The image is complete; then its post-processor fails. */
export const FAILED_AFTERWARDS: readonly NamedBuildEvent[] = [
  at(0, { type: "step-started", step: "step-9", title: "manifest: out.json" }),
  at(0.2, { type: "step-failed", step: "step-9", title: "manifest: out.json", elapsedMs: 200 }),
  at(0.2, {
    type: "build-failed",
    error: new ToolError("ERR_POST_PROCESSOR_FAILED", 'Cannot post-process with "manifest: out.json" of web.json:7:5', {
      cause: new ToolError("ERR_MANIFEST", 'Cannot add to the manifest "out.json": it is no JSON object'),
      hint: "The image is complete all the same, and stays: us-east-1:ami-0aa",
    }),
    artifact: { ...ARTIFACT, imageName: "web-hunter2" },
    elapsedMs: 20_200,
  }),
];
