import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import type { FuzzReport, FuzzWork } from "../../fixtures/fuzz-worker.ts";
import { ROOT } from "../source-files.ts";
import { programPath } from "../test-program.ts";
import type { FuzzInput, FuzzSeeds } from "./mutate-template.ts";
import { everyExpression } from "./nasty-hcl.ts";

export interface Finding {
  readonly complaint: string;
  readonly number: number;
  readonly input: FuzzInput;
}

export interface FuzzResult {
  readonly caseCount: number;
  readonly slowestMs: number;
  readonly slowest: string;
  readonly findings: readonly Finding[];
}

/** One template may take so long. It is on a machine that does other things too. */
const CASE_DEADLINE_MS = 20_000;
/** And so much memory, with all that Node itself needs. */
const HEAP_MIB_MAX = 512;
const FINDINGS_MAX = 10;

/** Reads damaged templates in a thread of its own; one that hangs or needs too much memory is a finding too. */
export async function fuzzTemplates(
  what: Omit<FuzzWork, "directory">,
  { untilMs = Number.POSITIVE_INFINITY }: { untilMs?: number } = {},
): Promise<FuzzResult> {
  const directory = await mkdtemp(join(tmpdir(), "amibake-fuzz-"));
  try {
    return await fuzzIn(directory, what, untilMs);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function fuzzIn(directory: string, what: Omit<FuzzWork, "directory">, untilMs: number): Promise<FuzzResult> {
  const work: FuzzWork = { ...what, directory };
  const worker = new Worker(workerEntry(), {
    workerData: work,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB_MAX },
  });
  const findings: Finding[] = [];
  let current: { number: number; input: FuzzInput; startMs: number } | undefined;
  let caseCount = 0;
  let slowest = { ms: 0, made: "" };
  const finish = (): void => {
    if (current === undefined) return;
    caseCount++;
    const ms = performance.now() - current.startMs;
    if (ms > slowest.ms) slowest = { ms, made: current.input.made };
  };
  const find = (complaint: string): void => {
    const { number, input } = current ?? {
      number: -1,
      input: { language: "json" as const, made: "none", bytes: new Uint8Array() },
    };
    findings.push({ complaint, number, input });
  };
  let isOver = false;
  worker.on("message", (report: FuzzReport) => {
    if (report.type === "finding") return find(report.complaint);
    finish();
    current = report.type === "done" ? undefined : { ...report, startMs: performance.now() };
    if (report.type === "done") isOver = true;
  });
  worker.on("error", (error) => {
    find(`It ends the thread: ${error.message}`);
    isOver = true;
  });
  while (!isOver && findings.length < FINDINGS_MAX && performance.now() < untilMs) {
    await delay(20);
    if (current === undefined || performance.now() - current.startMs <= CASE_DEADLINE_MS) continue;
    find(`It takes longer than ${CASE_DEADLINE_MS} ms`);
    break;
  }
  await worker.terminate();
  return { caseCount, slowestMs: slowest.ms, slowest: slowest.made, findings };
}

function workerEntry(): URL {
  const program = pathToFileURL(programPath("test/fixtures/fuzz-worker.ts"));
  if (program.pathname.endsWith(".js")) return program;
  // tsx does not reach into threads by itself.
  const [tsx, file] = [import.meta.resolve("tsx/esm/api"), program.href];
  const code = `import { register } from "${tsx}"; register(); await import("${file}");`;
  return new URL(`data:text/javascript,${encodeURIComponent(code)}`);
}

/** The templates that are damaged: every example, one with nearly every key, and one that calls every function. */
export async function fuzzSeeds(): Promise<FuzzSeeds> {
  const examples = join(ROOT, "examples");
  const paths = (await readdir(examples, { recursive: true })).sort();
  const read = (end: RegExp) =>
    Promise.all(paths.filter((path) => end.test(path)).map((path) => readFile(join(examples, path), "utf8")));
  const everyKey = await readFile(join(ROOT, "test/fixtures/every-key.json"), "utf8");
  return {
    json: [...(await read(/template\.json$/)), everyKey],
    hcl2: [...(await read(/\.pkr\.hcl$/)), everyExpression()],
  };
}

export function describeFinding({ complaint, number, input }: Finding): string {
  const text = new TextDecoder().decode(input.bytes.subarray(0, 2000));
  return `case ${number} (${input.language}: ${input.made}): ${complaint}\n${text}`;
}
