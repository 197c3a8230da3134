export function commonJsChunk(text: string): string;
