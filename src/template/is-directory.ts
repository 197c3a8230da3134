import { stat } from "node:fs/promises";

export async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    // Whatever it is, reading it will tell.
    return false;
  }
}
