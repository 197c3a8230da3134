// Starting a process without Node. Node forks: the kernel copies the page tables of the whole process, and then each page
// that one of the two writes to. posix_spawn(3) lends them until the new program begins. Of a process of 100 MB on a
// virtual machine, a command takes 2 ms of a processor this way, and 14 ms by a fork.
import { accessSync, constants, statSync } from "node:fs";
import { constants as systemConstants } from "node:os";
import { join } from "node:path";

export interface SpawnOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string | undefined;
  /** What descriptor 0, 1, … of the process is a copy of; "null" is /dev/null. It has no others. */
  readonly descriptors: readonly (number | "null")[];
}

export interface SpawnedProcess {
  /** Also its session, and so its process group. */
  readonly pid: number;
  readonly ended: Promise<ProcessEnd>;
}

export interface ProcessEnd {
  /** `null` if it was killed. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * Starts a process in a session of its own, with no signal ignored or blocked.
 *
 * @returns undefined for what only Node's own way takes: the caller goes that one.
 * @throws as Node's does, with a `code`, if it cannot start.
 */
export type PosixSpawn = (argv: readonly string[], options: SpawnOptions) => SpawnedProcess | undefined;

let loading: Promise<PosixSpawn | undefined> | undefined;

/** @returns undefined where the C library does not have all of it. */
export function loadPosixSpawn(): Promise<PosixSpawn | undefined> {
  loading ??= loadFunctions().then(
    (functions) => (argv, options) => spawnProcess(functions, argv, options),
    () => undefined,
  );
  return loading;
}

type Functions = Awaited<ReturnType<typeof loadFunctions>>;

// spawn.h. musl has the same numbers, and smaller structures.
const SETSIGDEF = 0x04;
const SETSIGMASK = 0x08;
const SETSID = 0x80;
const STRUCTURE_BYTES = 512;
const SIGNAL_SET_BYTES = 128;

async function loadFunctions() {
  const { default: koffi } = await import("koffi");
  const libc = koffi.load(null);
  const attributes = Buffer.alloc(STRUCTURE_BYTES);
  libc.func("int posix_spawnattr_init(void *)")(attributes);
  libc.func("int posix_spawnattr_setflags(void *, short)")(attributes, SETSIGDEF | SETSIGMASK | SETSID);
  libc.func("int posix_spawnattr_setsigdefault(void *, void *)")(attributes, Buffer.alloc(SIGNAL_SET_BYTES, 0xff));
  libc.func("int posix_spawnattr_setsigmask(void *, void *)")(attributes, Buffer.alloc(SIGNAL_SET_BYTES));
  return {
    attributes,
    spawn: libc.func(
      "int posix_spawn(_Out_ int *pid, const char *path, void *actions, void *attributes, const char **argv, const char **env)",
    ),
    initActions: libc.func("int posix_spawn_file_actions_init(void *)"),
    destroyActions: libc.func("int posix_spawn_file_actions_destroy(void *)"),
    addDup2: libc.func("int posix_spawn_file_actions_adddup2(void *, int descriptor, int target)"),
    addOpen: libc.func(
      "int posix_spawn_file_actions_addopen(void *, int target, const char *path, int flags, int mode)",
    ),
    addChdir: libc.func("int posix_spawn_file_actions_addchdir_np(void *, const char *path)"),
    waitpid: libc.func("int waitpid(int pid, _Out_ int *status, int options)"),
  };
}

/** koffi copies what is handed over to a place of 2 MiB. */
const TEXT_BYTES_MAX = 1024 * 1024;
/** UTF-8 has up to three for each unit of a text. */
const BYTES_PER_UNIT_MAX = 3;

function spawnProcess(
  functions: Functions,
  argv: readonly string[],
  { env, cwd, descriptors }: SpawnOptions,
): SpawnedProcess | undefined {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const text = [...argv, ...variables, cwd ?? ""].join("");
  const isPlain = !text.includes("\0") && text.length * BYTES_PER_UNIT_MAX < TEXT_BYTES_MAX;
  // Copied one after the other: none may be where a later one is expected.
  const isOrdered = descriptors.every((descriptor) => descriptor === "null" || descriptor >= descriptors.length);
  const searchPath = env["PATH"];
  if (!isPlain || !isOrdered || searchPath === undefined) return undefined;
  const program = argv[0] ?? "";
  const path = findProgram(program, searchPath);
  if (path === undefined) throw spawnError(program, systemConstants.errno.ENOENT);

  const actions = Buffer.alloc(STRUCTURE_BYTES);
  functions.initActions(actions);
  try {
    for (const [target, descriptor] of descriptors.entries()) {
      if (descriptor === "null") functions.addOpen(actions, target, "/dev/null", constants.O_RDWR, 0);
      else functions.addDup2(actions, descriptor, target);
    }
    if (cwd !== undefined) functions.addChdir(actions, cwd);
    listenForEnds(functions);
    const pid = [0];
    const code: number = functions.spawn(
      pid,
      path,
      actions,
      functions.attributes,
      [...argv, null],
      [...variables, null],
    );
    // A script without "#!": the shells, and Node, start it all the same.
    if (code === systemConstants.errno.ENOEXEC) return undefined;
    if (code !== 0) throw spawnError(program, code);
    return { pid: pid[0] as number, ended: waitForEnd(functions, pid[0] as number) };
  } finally {
    functions.destroyActions(actions);
  }
}

/** As execvp(3) does: the first of the PATH that can be executed. */
function findProgram(program: string, searchPath: string): string | undefined {
  if (program.includes("/")) return program;
  const candidates = searchPath.split(":").map((directory) => join(directory || ".", program));
  return candidates.find((candidate) => {
    try {
      accessSync(candidate, constants.X_OK);
      return statSync(candidate).isFile();
    } catch {
      // It is not there, or is none of ours to run.
      return false;
    }
  });
}

function spawnError(program: string, number: number): Error {
  const name = Object.entries(systemConstants.errno).find(([, value]) => value === number)?.[0] ?? `error ${number}`;
  return Object.assign(new Error(`spawn ${program} ${name}`), { code: name, errno: -number, syscall: "spawn" });
}

const WNOHANG = 1;
/** In case that a signal is missed; and a process that is waited for keeps this one going. */
const LOOK_MS = 1000;

const waiting = new Map<number, (status: number) => void>();
let isListening = false;
let timer: NodeJS.Timeout | undefined;

/** Before the first process: one that ends at once is told at once. */
function listenForEnds(functions: Functions): void {
  if (!isListening) process.on("SIGCHLD", () => lookForEnds(functions));
  isListening = true;
}

function waitForEnd(functions: Functions, pid: number): Promise<ProcessEnd> {
  timer ??= setInterval(() => lookForEnds(functions), LOOK_MS);
  return new Promise((resolve) => {
    waiting.set(pid, (status) => resolve(endOf(status)));
  });
}

function lookForEnds({ waitpid }: Functions): void {
  for (const [pid, tell] of waiting) {
    const status = [0];
    const found: number = waitpid(pid, status, WNOHANG);
    if (found === 0) continue;
    waiting.delete(pid);
    // Taken by somebody else, its end cannot be learned any more: it counts as killed.
    tell(found === pid ? (status[0] as number) : systemConstants.signals.SIGKILL);
  }
  if (waiting.size > 0) return;
  clearInterval(timer);
  timer = undefined;
}

/** wait(2): the low seven bits are the signal, the next byte is the exit code. */
function endOf(status: number): ProcessEnd {
  const number = status & 0x7f;
  if (number === 0) return { exitCode: (status >> 8) & 0xff, signal: null };
  const names = Object.entries(systemConstants.signals) as [NodeJS.Signals, number][];
  return { exitCode: null, signal: names.find(([, value]) => value === number)?.[0] ?? "SIGKILL" };
}
