// What suppress_sync is worth: `apt-get install` of four packages in a Debian image, with it and without, in turn.
// The packages are downloaded before. Needs root, and the network for the first of the builds.
//
//   node --import tsx bench/suppress-sync.ts [--runs 5]
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runCommand } from "../src/linux/run-command.ts";
import { amibakeCommand } from "../test/helpers/amibake-cli.ts";
import { median } from "./median.ts";

const PACKAGES = ["git", "nginx-light", "python3", "rsync"];
const APT_GET = "env DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes --no-install-recommends";
// Field 16 of the disk's statistics counts its flushes (Documentation/admin-guide/iostats.rst); the time is the kernel's.
const MEASURED_INSTALL = `
disk=/sys/dev/block/$(mountpoint --fs-devno /)/..
look() { read -r uptime _ </proc/uptime; set -- $(cat "$disk/stat"); echo "figure $uptime \${16}"; }
look; ${APT_GET} install ${PACKAGES.join(" ")} >/dev/null; look`;

interface Figures {
  readonly installSeconds: number;
  readonly flushCount: number;
  /** Unmounting writes what nobody waited for. */
  readonly unmountSeconds: number;
}

const { values } = parseArgs({ options: { runs: { type: "string", default: "5" } } });
const { stdout: printed } = await runCommand(["scripts/make-base-image"], {
  cwd: join(import.meta.dirname, ".."),
  env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "/root" },
});
const scratch = await mkdtemp(join(tmpdir(), "amibake-bench-"));
const amibake = [...(await amibakeCommand())];
const store = ["--store", join(scratch, "store")];
try {
  const disk = printed.toString().trim();
  const imported = await runCommand([...amibake, "local", "import", disk, "--name", "debian", "--json", ...store]);
  const { imageId } = JSON.parse(imported.stdout.toString()) as { imageId: string };
  const download = `${APT_GET} update && ${APT_GET} install --download-only ${PACKAGES.join(" ")}`;
  const { imageId: source } = await bake({ source_ami: imageId }, download);
  const figures: Record<string, Figures[]> = { true: [], false: [] };
  for (let run = 1; run <= Number(values.runs); run++) {
    for (const isSuppressed of run % 2 === 0 ? [true, false] : [false, true]) {
      const { events } = await bake({ source_ami: source, suppress_sync: isSuppressed }, MEASURED_INSTALL);
      figures[String(isSuppressed)]?.push(figuresIn(events));
    }
  }
  console.log(`${values.runs} runs of each in turn; Node ${process.version}, ${availableParallelism()} CPUs\n`);
  console.log("| `suppress_sync` | Install, s | Flushes of the disk | Unmount after it, s |\n|---|---:|---:|---:|");
  for (const [name, runs] of Object.entries(figures)) {
    const cells = [
      spread(runs.map(({ installSeconds }) => installSeconds)),
      spread(
        runs.map(({ flushCount }) => flushCount),
        0,
      ),
      spread(runs.map(({ unmountSeconds }) => unmountSeconds)),
    ];
    console.log(`| ${name} | ${cells.join(" | ")} |`);
  }
} finally {
  await rm(scratch, { recursive: true });
}

type JsonEvent = Readonly<Record<string, unknown>>;

/** Builds on the scratch store; gives the new image and what the build told. */
async function bake(builder: Readonly<Record<string, unknown>>, script: string) {
  const template = join(scratch, "template.json");
  const common = { type: "amazon-chroot", ami_name: `bench ${performance.now()}` };
  const content = { builders: [{ ...common, ...builder }], provisioners: [{ type: "shell", inline: [script] }] };
  await writeFile(template, JSON.stringify(content));
  const { stdout } = await runCommand([...amibake, "build", "--local", "--json", ...store, template], {
    env: { PATH: process.env["PATH"] ?? "", HOME: scratch, ...proxies() },
  });
  const lines = stdout.toString().trim().split("\n");
  const events = lines.map((line): JsonEvent => JSON.parse(line));
  const made = events.find(({ type, kind }) => type === "resource-created" && kind === "image");
  return { imageId: String(made?.["id"]), events };
}

function figuresIn(events: readonly JsonEvent[]): Figures {
  const looks = events.flatMap(({ line }) => {
    const [, uptime, flushes] = /^figure (\S+) (\d+)$/.exec(String(line)) ?? [];
    return uptime === undefined ? [] : [{ seconds: Number(uptime), flushes: Number(flushes) }];
  });
  const [first, last] = looks;
  if (first === undefined || last === undefined) throw new Error("The image told no figures");
  const unmount = events.find(({ type, title }) => type === "step-finished" && /^Unmounting/.test(String(title)));
  return {
    installSeconds: last.seconds - first.seconds,
    flushCount: last.flushes - first.flushes,
    unmountSeconds: Number(unmount?.["elapsedMs"]) / 1000,
  };
}

function spread(numbers: readonly number[], digits = 2): string {
  const text = (number: number) => number.toFixed(digits);
  return `${text(median(numbers))} (${text(Math.min(...numbers))} to ${text(Math.max(...numbers))})`;
}

/** What the image's apt may need to reach the network. */
function proxies(): Record<string, string> {
  const names = ["http_proxy", "https_proxy", "no_proxy"];
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}
