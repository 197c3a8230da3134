import type { TemplateLanguage } from "../../plan/template-language.ts";

export const HCL2: TemplateLanguage = {
  trustedOwners: 'owners = ["self"]',
  besideTemplate: (path) => `"\${path.root}/${path}"`,
};
