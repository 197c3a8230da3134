const EXAMPLES = {
  json: `Type a text with expressions, such as {{timestamp}} or {{user \`name\` | upper}}, to see what it becomes.`,
  hcl2: `Type an expression, such as upper(var.name) or [for n in local.names : "\${n}-1"], to see its value.`,
};

export function consoleHelp(language: "json" | "hcl2"): string {
  return [
    EXAMPLES[language],
    "",
    "variables   shows every variable of the template and its value",
    "help        shows this",
    "exit        ends it, as Ctrl-D and Ctrl-C do",
  ].join("\n");
}
