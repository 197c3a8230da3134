/** A signal that never aborts: for what has to go on although its caller was cancelled. */
export const NEVER: AbortSignal = new AbortController().signal;
