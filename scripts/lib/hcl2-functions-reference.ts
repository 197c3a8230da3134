// docs/hcl2-functions.md, made from the functions themselves.
import { NO_FOREIGN_VALUES } from "../../src/template/foreign-values.ts";
import {
  createDefaultFunctions,
  type HclFunctionChapter,
  hclFunctionChapters,
} from "../../src/template/hcl2/functions/create-functions.ts";

export function hclFunctionsReference(): string {
  const chapters: readonly HclFunctionChapter[] = [
    ...hclFunctionChapters({
      startTime: new Date(0),
      baseDirectory: "/",
      workingDirectory: "/",
      homeDirectory: undefined,
      foreignValues: NO_FOREIGN_VALUES,
    }),
    { title: "Only in defaults of variables", functions: Object.fromEntries(createDefaultFunctions({})) },
  ];
  return `${[INTRODUCTION, ...chapters.map(chapterSection), DIFFERENCES].map((section) => section.trim()).join("\n\n")}\n`;
}

const INTRODUCTION = `
<!-- Made by scripts/generate-docs.ts. Change the functions in src/template/hcl2/functions, not this page. -->

# The functions of HCL2

Every expression of a \`.pkr.hcl\` or \`.pkr.json\` file may call these; only the default of a variable may not, and has
\`env\` alone. They are Packer's, and give what Packer gives: the tests ask Debian's Packer 1.6.6 for hundreds of calls.
\`function(list...)\` takes the arguments from a list. \`amibake console\` tries them out.`;

const DIFFERENCES = `
## Where they differ from Packer's

| Function | Here | In Packer |
|---|---|---|
| \`timestamp\` | the start of the run, everywhere in it | the moment of each call |
| \`formatdate\` | quoted letters at the end of the layout stay | they are lost |
| \`log\`, \`pow\` | a result that is infinite is an error | an infinite number, which most uses refuse |
| \`bcrypt\` | a cost of at most 16 | up to 31, which takes days |
| \`base64gzip\` | other bytes, which give the same text | Go's compressor |
| \`cidrsubnets("0.0.0.0/0", …)\` | works | refused |
| \`index\`, \`merge()\` | as in later versions of Packer | 1.6.6 looks up a key, and gives null |
| \`regex\`, \`regexall\`, \`regex_replace\` | RE2 in an engine of our own: what takes more than some seconds ends in an error | Go's |
| \`fileset\` | more than 100,000 files to look at are an error | no limit |
| \`file\`, \`filebase64\`, \`templatefile\` | regular files of at most 48 MiB | any |`;

function chapterSection({ title, functions }: HclFunctionChapter): string {
  const rows = Object.entries(functions)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { usage, summary }]) => `| \`${name}\` | ${code(usage)} | ${cell(summary)} |`);
  return [`## ${title}`, "", "| Function | For example | Gives |", "|---|---|---|", ...rows].join("\n");
}

function code(text: string): string {
  return `\`${cell(text)}\``;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
