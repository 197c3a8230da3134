import type { Conversion } from "./conversion.ts";
import { WEAK } from "./weak-conversion.ts";

/** How values are read that are written in a language, and how what a hint tells to write is written in it. */
export interface TemplateLanguage {
  readonly conversion: Conversion;
  /** That only images of one's own are taken. */
  readonly trustedOwners: string;
  /** A path that starts where the template is. */
  readonly besideTemplate: (path: string) => string;
}

export const LEGACY_JSON: TemplateLanguage = {
  conversion: WEAK,
  trustedOwners: '"owners": ["self"]',
  besideTemplate: (path) => `"{{template_dir}}/${path}"`,
};
