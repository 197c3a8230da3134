/** How what a hint tells to write is written in a language. */
export interface TemplateLanguage {
  /** That only images of one's own are taken. */
  readonly trustedOwners: string;
  /** A path that starts where the template is. */
  readonly besideTemplate: (path: string) => string;
}

export const LEGACY_JSON: TemplateLanguage = {
  trustedOwners: '"owners": ["self"]',
  besideTemplate: (path) => `"{{template_dir}}/${path}"`,
};
