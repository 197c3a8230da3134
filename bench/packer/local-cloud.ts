import { spawn } from "node:child_process";
import { rm } from "node:fs/promises";

/** A store with one source image, from which every run begins anew. */
export interface PristineStore {
  readonly directory: string;
  readonly sourceImageId: string;
}

/** Imports a disk into a new store, without delays. */
export async function makePristineStore(
  amibake: readonly string[],
  options: { directory: string; disk: string },
): Promise<PristineStore> {
  const { directory, disk } = options;
  const answer = await run([
    ...[...amibake, "local", "import", disk],
    ...["--name", "source", "--architecture", "x86_64", "--store", directory, "--json"],
  ]);
  const { imageId } = JSON.parse(answer) as { imageId: string };
  return { directory, sourceImageId: imageId };
}

export interface RunningCloud extends AsyncDisposable {
  /** AWS_ENDPOINT_URL, credentials and region. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Starts a local cloud on a copy of the store: its delays begin anew, and are those of the seed. */
export async function startCloud(
  amibake: readonly string[],
  options: { pristine: PristineStore; directory: string; latency: string; seed: number },
): Promise<RunningCloud> {
  const { pristine, directory, latency, seed } = options;
  await run(["cp", "--archive", "--sparse=always", "--reflink=auto", pristine.directory, directory]);
  const store = ["--store", directory];
  await run([...amibake, "local", "start", ...store, "--latency", latency, "--seed", String(seed)]);
  const { environment } = JSON.parse(await run([...amibake, "local", "status", ...store, "--json"])) as {
    environment: Record<string, string>;
  };
  return {
    environment,
    async [Symbol.asyncDispose]() {
      await run([...amibake, "local", "stop", ...store]);
      await rm(directory, { recursive: true });
    },
  };
}

async function run(argv: readonly string[]): Promise<string> {
  const [program = "", ...args] = argv;
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (exitCode !== 0) throw new Error(`Cannot run "${argv.join(" ")}": exit code is ${exitCode}: ${errors}`);
  return output;
}
