import { hintOf, type Leftover, messageOf } from "../base/errors.ts";

/**
 * What a build tells while it runs. The renderers in `cli/ui` are the only
 * readers; nothing in a build depends on an event being shown.
 */
export type BuildEvent =
  /** A step begins. `step` is unique within the build. */
  | { readonly type: "step-started"; readonly step: string; readonly title: string }
  | { readonly type: "step-progress"; readonly step: string; readonly text: string; readonly percent?: number }
  | { readonly type: "step-finished"; readonly step: string; readonly title: string; readonly elapsedMs: number }
  | { readonly type: "step-failed"; readonly step: string; readonly title: string; readonly elapsedMs: number }
  /** A decision or a fact that the user should know. */
  | { readonly type: "message"; readonly text: string }
  | { readonly type: "warning"; readonly text: string; readonly hint?: string }
  /** A line that a provisioner or a host command of the template printed. */
  | { readonly type: "output"; readonly stream: "stdout" | "stderr"; readonly line: string }
  /** A call that failed and is tried again. */
  | { readonly type: "retry"; readonly call: string; readonly attempt: number; readonly reason: string }
  /** Something now exists in the account. */
  | {
      readonly type: "resource-created";
      readonly kind: "volume" | "snapshot" | "image";
      readonly id: string;
      readonly region: string;
    }
  | { readonly type: "leftover"; readonly leftover: Leftover }
  | { readonly type: "build-finished"; readonly artifact: AmiArtifact; readonly elapsedMs: number }
  | {
      readonly type: "build-failed";
      readonly error: unknown;
      /** What is there all the same: a post-processor failed, not the build itself. */
      readonly artifact?: AmiArtifact;
      readonly elapsedMs: number;
    };

/** An event with the build it belongs to and its time. */
export type NamedBuildEvent = BuildEvent & { readonly build: string; readonly time: Date };

/** What a build returns. */
export interface AmiArtifact {
  readonly imageName: string;
  /** Image ids by region. */
  readonly images: Readonly<Record<string, string>>;
  /** The snapshots behind each image, by region; the root snapshot first. */
  readonly snapshots: Readonly<Record<string, readonly string[]>>;
}

export type EmitBuildEvent = (event: BuildEvent) => void;

/** Tells of an error that changes nothing about how the build goes on. */
export function warningOf(what: string, error: unknown): Extract<BuildEvent, { type: "warning" }> {
  const hint = hintOf(error);
  return { type: "warning", text: `${what}: ${messageOf(error)}`, ...(hint === undefined ? {} : { hint }) };
}
