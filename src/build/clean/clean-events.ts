/** What cleaning up tells while it works. The command line is its only reader. */
export type CleanEvent =
  | ({
      readonly type: "build";
      readonly buildId: string;
    } /** "busy": another amibake is looking at it, or cleaning it up. */ & (
      | { readonly state: "running" }
      | { readonly state: "busy" }
      | {
          /** Of another host: only there can be told whether it lives. */
          readonly state: "dead" | "elsewhere";
          readonly buildName: string;
          readonly template: string;
          /** ISO 8601 */
          readonly startTime: string;
          readonly host: string;
        }
    ))
  /** The build had succeeded: these are the user's. */
  | {
      readonly type: "kept";
      readonly buildId: string;
      /** Missing for an upload, which makes a snapshot only. */
      readonly imageId: string | undefined;
      readonly snapshotIds: readonly string[];
    }
  | {
      readonly type: "removed" | "would-remove";
      readonly buildId: string | undefined;
      readonly kind: string;
      readonly id: string;
    }
  | {
      readonly type: "failed";
      readonly buildId: string | undefined;
      readonly kind: string;
      readonly id: string;
      readonly error: unknown;
    }
  | { readonly type: "draft"; readonly draft: DraftResource };

/** Something that carries the draft tag. */
export interface DraftResource {
  readonly kind: "volume" | "snapshot" | "image";
  readonly id: string;
  readonly state: string;
  /** The tag's value: build, host and start. */
  readonly draft: string;
  /** Missing where the tag does not tell. */
  readonly ageMs: number | undefined;
  /** Its build runs on this host, or has a journal here, or nothing is known of it. */
  readonly build: "running" | "journal" | "unknown";
  /** What shows that its build may be at work, on whatever host: nothing of it is removed then. */
  readonly atWork: string | undefined;
}

export interface CleanSummary {
  /** With a dry run: what would be. */
  readonly removed: number;
  readonly failed: number;
  readonly dead: number;
  readonly running: number;
  /** Too young, of another host, or in the hands of another amibake. */
  readonly leftAlone: number;
}
