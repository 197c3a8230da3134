import { rm } from "node:fs/promises";
import { runCommand } from "../../src/linux/run-command.ts";
import { connectLocalCloud } from "../../src/local-cloud/local-client.ts";

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
  const image = ["--name", "source", "--architecture", "x86_64", "--json"];
  const { stdout } = await runCommand([...amibake, "local", "import", disk, ...image, "--store", directory]);
  const { imageId } = JSON.parse(stdout.toString()) as { imageId: string };
  return { directory, sourceImageId: imageId };
}

export interface RunningCloud extends AsyncDisposable {
  /** AWS_ENDPOINT_URL, credentials and region. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Starts a local cloud on a copy of the store: its delays begin anew, and are those of the seed.
 *
 * It ends when it is disposed of, and with this process, however that ends.
 */
export async function startCloud(
  amibake: readonly string[],
  options: { pristine: PristineStore; directory: string; latency: string; seed: number },
): Promise<RunningCloud> {
  const { pristine, directory, latency, seed } = options;
  await runCommand(["cp", "--archive", "--sparse=always", "--reflink=auto", pristine.directory, directory]);
  const settings = ["--latency", latency, "--seed", String(seed)];
  const startCommand = [...amibake, "local", "serve", "--ephemeral", "--store", directory, ...settings];
  const lease = await connectLocalCloud({ storeDirectory: directory, startCommand });
  return {
    environment: lease.environment,
    async [Symbol.asyncDispose]() {
      await lease[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    },
  };
}
