// Writes the reference pages: docs/template.md from the schemas, docs/hcl2-functions.md from the functions. Each key and
// function is described where it is declared. Run it after every change of one: node --import tsx scripts/generate-docs.ts
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { hclFunctionsReference } from "./lib/hcl2-functions-reference.ts";
import { templateReference } from "./lib/template-reference.ts";

function writePage(name: string, text: string): void {
  writeFileSync(fileURLToPath(new URL(`../docs/${name}`, import.meta.url)), text);
}

writePage("template.md", templateReference());
writePage("hcl2-functions.md", hclFunctionsReference());
