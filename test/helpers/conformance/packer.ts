import { spawn } from "node:child_process";

/** The judge: what Debian has. Later ones must be downloaded, with plugins. */
const VERSION = "1.6.6";
const PACKER = "/usr/bin/packer";

/**
 * Tells it that it is the process that Packer starts of itself, to report its panics: it then starts none, and takes two
 * thirds of the time. It writes its log to stderr instead of into a file. The console would look for its input elsewhere.
 */
const IS_WRAPPED = { PACKER_WRAP_COOKIE: "49C22B1A-3A93-4C98-97FA-E07D18C787B5" };
const LOG_LINES = /^(?:\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d .*|Running in background, not using a TTY)\n/gm;

/**
 * Hundreds of short runs are the suite's longest file: without a PATH none of Packer's processes asks `uname` three times,
 * and one thread that collects no garbage is enough for each. All that takes a quarter of their processor time away.
 */
const IS_FRUGAL = { PATH: "", GOMAXPROCS: "1", GOGC: "off" };

export interface PackerRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface PackerOptions {
  readonly cwd: string;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export async function runPacker(args: readonly string[], { cwd, input = "", env }: PackerOptions): Promise<PackerRun> {
  const child = spawn(PACKER, args, {
    cwd,
    env: {
      HOME: cwd,
      CHECKPOINT_DISABLE: "1",
      PACKER_NO_COLOR: "1",
      ...IS_FRUGAL,
      ...(args[0] === "console" ? {} : IS_WRAPPED),
      ...env,
    },
  });
  const [stdout, stderr] = [child.stdout, child.stderr].map((stream) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    return () => Buffer.concat(chunks).toString();
  });
  // EPIPE: it may end without reading its input.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode) =>
      resolve({ exitCode, stdout: stdout?.() ?? "", stderr: (stderr?.() ?? "").replaceAll(LOG_LINES, "") }),
    );
  });
}

/** Why the tests that ask Packer cannot run here, or `undefined` if they can. */
export async function whyNoPacker(): Promise<string | undefined> {
  try {
    const { stdout } = await runPacker(["version"], { cwd: "/" });
    return stdout.includes(`v${VERSION}\n`) ? undefined : `this is not Packer ${VERSION}: ${stdout.trim()}`;
  } catch {
    return "packer is not installed: apt-get install packer";
  }
}
