import type { TemplateLanguage } from "../../plan/template-language.ts";
import { CTY } from "./cty-conversion.ts";

export const HCL2: TemplateLanguage = {
  conversion: CTY,
  trustedOwners: 'owners = ["self"]',
  besideTemplate: (path) => `"\${path.root}/${path}"`,
};
