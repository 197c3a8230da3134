import type { Colours } from "./colours.ts";
import type { ErrorReport, ProblemReport } from "./error-report.ts";
import { formatExcerpt } from "./format-excerpt.ts";

/** The lines that tell a person about an error: what, why, what to do, then what else failed. */
export function formatError(report: ErrorReport, colours: Colours, label = "Error"): string[] {
  const isInternal = report.stack !== undefined;
  return [
    `${colours.red(colours.bold(`${label}:`))} ${isInternal ? `Internal error: ${report.message}` : report.message}`,
    ...(report.problems ?? []).flatMap((problem) => formatProblem(problem, colours)),
    ...report.causes.map((cause) => `  caused by: ${cause}`),
    ...(report.hint === undefined ? [] : [`  ${colours.cyan("hint:")} ${report.hint}`]),
    ...report.cleanup.map((message) => `  cleanup also failed: ${message}`),
    ...(report.stack === undefined ? [] : formatStack(report.stack)),
  ].flatMap(indentFurtherLines);
}

function formatProblem({ file, line, column, message, hint, excerpt }: ProblemReport, colours: Colours): string[] {
  const place = file === undefined ? "" : `${colours.bold([file, line, column].join(":"))}: `;
  return [
    `  ${place}${message}`,
    ...(excerpt === undefined ? [] : formatExcerpt(excerpt, line ?? 1, colours).map((text) => `    ${text}`)),
    ...(hint === undefined ? [] : [`    ${colours.cyan("hint:")} ${hint}`]),
  ];
}

function formatStack(stack: string): string[] {
  return [
    ...stack.split("\n").map((line) => `  ${line.trim()}`),
    "  This is a bug in amibake: please report it with these lines",
  ];
}

/** A message of several lines stays under its first one. */
function indentFurtherLines(text: string): string[] {
  const [first = "", ...others] = text.split("\n");
  const indent = " ".repeat(4);
  return [first, ...others.filter((line) => line.trim() !== "").map((line) => `${indent}${line}`)];
}
