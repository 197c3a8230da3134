/** What post-processors tell while they run. Each is also an event of a build. */
export type PostProcessEvent =
  | { readonly type: "message"; readonly text: string }
  | { readonly type: "warning"; readonly text: string; readonly hint?: string };
