/** What provisioners tell while they run. Each is also an event of a build. */
export type ProvisionEvent =
  | { readonly type: "message"; readonly text: string }
  | { readonly type: "warning"; readonly text: string; readonly hint?: string }
  /** A line that a script printed. */
  | { readonly type: "output"; readonly stream: "stdout" | "stderr"; readonly line: string }
  /** Something that failed and is tried again. */
  | { readonly type: "retry"; readonly call: string; readonly attempt: number; readonly reason: string };
