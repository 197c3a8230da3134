// Prints what `amibake validate` of an HCL2 template of 500 lines costs beside an empty node, in turn, as whole processes:
// time, CPU time of user and kernel, and the largest resident memory.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median } from "./median.ts";

const RUNS = 15;
const LINES_MIN = 500;
const ENTRY = join(import.meta.dirname, "../dist/cli/amibake.js");

interface Cost {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly residentMib: number;
}

/** GNU time knows the memory of a child, which Node does not tell. */
function costOf(args: readonly string[]): Cost {
  const start = performance.now();
  const { status, stderr } = spawnSync("/usr/bin/time", ["-f", "%U %S %M", process.execPath, ...args], {
    env: {},
    encoding: "utf8",
  });
  const wallMs = performance.now() - start;
  if (status !== 0) throw new Error(`Cannot measure "node ${args.join(" ")}": ${stderr}`);
  const [user = 0, system = 0, kib = 0] = (stderr.trim().split("\n").at(-1) ?? "").split(" ").map(Number);
  return { wallMs, cpuMs: (user + system) * 1000, residentMib: kib / 1024 };
}

/** Variables, locals with expressions, sources and builds, as often as the lines ask for. */
function template(): string {
  const lines: string[] = [];
  for (let number = 0; lines.length < LINES_MIN; number++) lines.push(...part(number).trimEnd().split("\n"));
  return `${lines.join("\n")}\n`;
}

function part(number: number): string {
  return `
variable "zones_${number}" {
  type    = list(string)
  default = ["a", "b", "c"]
}
locals {
  name_${number} = format("web-%03d-%s", ${number}, formatdate("YYYYMMDD", timestamp()))
  tags_${number} = { for zone in var.zones_${number} : upper(zone) => "\${zone}-${number}" if zone != "b" }
}
source "amazon-chroot" "web_${number}" {
  ami_name = local.name_${number}
  source_ami_filter {
    filters     = { name = "debian-12-amd64-*" }
    owners      = ["136693071363"]
    most_recent = true
  }
  tags = merge(local.tags_${number}, { Name = "{{ .SourceAMI }}" })
}
build {
  name    = "build_${number}"
  sources = ["source.amazon-chroot.web_${number}"]
  provisioner "shell" {
    env    = { NAME = source.name, FROM = build.SourceAMI }
    inline = [for zone in var.zones_${number} : "echo \${zone} %{if zone == "a"}first%{else}later%{endif}"]
  }
}
`;
}

const directory = mkdtempSync(join(tmpdir(), "amibake-validate-"));
try {
  const file = join(directory, "template.pkr.hcl");
  writeFileSync(file, template());
  const commands = { "node -e 0": ["-e", "0"], "amibake validate": [ENTRY, "validate", file] };
  const costs = Object.fromEntries(Object.keys(commands).map((name) => [name, [] as Cost[]]));
  for (const args of Object.values(commands)) costOf(args);
  for (let run = 0; run < RUNS; run++) {
    for (const [name, args] of Object.entries(commands)) costs[name]?.push(costOf(args));
  }
  const of = (name: string, key: keyof Cost) => median((costs[name] ?? []).map((cost) => cost[key]));
  for (const name of Object.keys(commands)) {
    const [wall, cpu, memory] = [of(name, "wallMs"), of(name, "cpuMs"), of(name, "residentMib")];
    const [wallRatio, cpuRatio] = [wall / of("node -e 0", "wallMs"), cpu / of("node -e 0", "cpuMs")];
    console.log(
      `${name.padEnd(16)} ${wall.toFixed(0).padStart(6)} ms ${wallRatio.toFixed(2)} x, CPU ${cpu.toFixed(0)} ms ${cpuRatio.toFixed(2)} x, ${memory.toFixed(0)} MiB`,
    );
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
