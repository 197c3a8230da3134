import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "../../src/linux/run-command.ts";
import { measure } from "../packer/measure.ts";

/** One run of one way to move the data. */
export interface Figures {
  readonly mibPerSecond: number;
  /** Of the client. */
  readonly cpuSecondsPerGib: number;
  /** Of the server. */
  readonly serverSecondsPerGib: number;
  /** Missing for the bare loops, which hold the whole image. */
  readonly peakMemoryMib?: number;
}

export interface MeasuredCloudOptions {
  /** Runs the command that is measured. */
  readonly amibake: readonly string[];
  readonly scratch: string;
  readonly image: string;
  /** Of the image, half of which is data. */
  readonly sizeGib: number;
  readonly serverPid: number;
}

const BARE_LOOP = [process.execPath, "--import", "tsx", join(import.meta.dirname, "bare-loop.ts")];

/** A local cloud that runs, and the ways to move the image to and from it. */
export class MeasuredCloud {
  readonly #environment: Readonly<Record<string, string>>;
  readonly #options: MeasuredCloudOptions;
  /** What is downloaded. */
  #source = "";

  /** @param environment what `amibake local start` prints. */
  constructor(environment: Readonly<Record<string, string>>, options: MeasuredCloudOptions) {
    this.#options = options;
    this.#environment = {
      PATH: process.env["PATH"] ?? "",
      HOME: options.scratch,
      AMIBAKE_STATE_DIR: join(options.scratch, "state"),
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
      ...environment,
    };
  }

  async barePut(client: string): Promise<Figures> {
    const arguments_ = ["--volume-size", String(this.#options.sizeGib)];
    const { SnapshotId } = await this.#aws(["ebs", "start-snapshot", ...arguments_]);
    const figures = await this.#bare("put", client, String(SnapshotId));
    await this.#remove(String(SnapshotId));
    return figures;
  }

  bareGet(client: string): Promise<Figures> {
    return this.#bare("get", client, this.#source);
  }

  async upload({ isKept = false } = {}): Promise<Figures> {
    const { figures, result } = await this.#command(["snapshot", "upload", this.#options.image, "--json"]);
    if (isKept) this.#source = String(result["snapshotId"]);
    else await this.#remove(String(result["snapshotId"]));
    return figures;
  }

  async download(): Promise<Figures> {
    const target = join(this.#options.scratch, "back.raw");
    const { figures } = await this.#command(["snapshot", "download", this.#source, target, "--json"]);
    await runCommand(["cmp", this.#options.image, target]);
    await rm(target);
    return figures;
  }

  async #command(argv: readonly string[]) {
    const before = await cpuSeconds(this.#options.serverPid);
    const env = this.#environment;
    const {
      output,
      cpuSeconds: client,
      peakMemoryMib,
    } = await measure({ argv: [...this.#options.amibake, ...argv], env, cwd: "/" });
    const result: Record<string, unknown> = JSON.parse(output.trim().split("\n").at(-1) ?? "");
    const server = (await cpuSeconds(this.#options.serverPid)) - before;
    const figures = this.#figures({ seconds: Number(result["elapsedMs"]) / 1000, client, server });
    return { result, figures: { ...figures, peakMemoryMib } };
  }

  async #bare(direction: string, client: string, snapshotId: string): Promise<Figures> {
    const before = await cpuSeconds(this.#options.serverPid);
    const { stdout } = await runCommand([...BARE_LOOP, direction, client, this.#options.image, snapshotId], {
      env: this.#environment,
      cwd: join(import.meta.dirname, "../.."),
    });
    const { seconds, cpuSeconds: cpu } = JSON.parse(stdout.toString()) as { seconds: number; cpuSeconds: number };
    return this.#figures({ seconds, client: cpu, server: (await cpuSeconds(this.#options.serverPid)) - before });
  }

  #figures({ seconds, client, server }: { seconds: number; client: number; server: number }): Figures {
    const dataGib = this.#options.sizeGib / 2;
    return {
      mibPerSecond: (dataGib * 1024) / seconds,
      cpuSecondsPerGib: client / dataGib,
      serverSecondsPerGib: server / dataGib,
    };
  }

  async #remove(snapshotId: string): Promise<void> {
    await this.#aws(["ec2", "delete-snapshot", "--snapshot-id", snapshotId]);
  }

  async #aws(argv: readonly string[]): Promise<Record<string, unknown>> {
    const { stdout } = await runCommand(
      ["/usr/bin/aws", "--endpoint-url", this.#environment["AWS_ENDPOINT_URL"] ?? "", "--output", "json", ...argv],
      { env: this.#environment },
    );
    return JSON.parse(stdout.toString() || "{}");
  }
}

/** User and system time of a process that runs. */
async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // In ticks of a hundredth of a second: fields 14 and 15 of proc(5).
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
