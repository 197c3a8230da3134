// Writes docs/template.md from the schemas: a key is described where it is declared.
// Run it after every change of a schema: node --import tsx scripts/generate-docs.ts
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { templateReference } from "./lib/template-reference.ts";

const PAGE = fileURLToPath(new URL("../docs/template.md", import.meta.url));

writeFileSync(PAGE, templateReference());
