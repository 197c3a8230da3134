// The names, flags and help of `amibake local …`. Each command's code is loaded when it runs.
import { type Command, InvalidArgumentError, Option } from "commander";
import type { CliContext } from "../cli-context.ts";
import type { ExitCode } from "../exit-codes.ts";
import type { DaemonFlags } from "./local-settings.ts";

type OnExitCode = (code: ExitCode) => void;

export function registerLocalCommands(program: Command, context: CliContext, onExitCode: OnExitCode): void {
  const local = program.command("local").description("the local cloud: EC2 with real disks on this host, without AWS");
  addDaemonCommands(local, context, onExitCode);
  addDiskCommands(local, context, onExitCode);
  addTableCommands(local, context, onExitCode);
}

function addDaemonCommands(local: Command, context: CliContext, onExitCode: OnExitCode): void {
  withDaemonFlags(withStore(local.command("start")))
    .description("starts it, and prints the environment that AWS's tools need to use it")
    .option("--foreground", "stays until it is interrupted")
    .option("--faults <file>", "makes calls fail as the file says (docs/faults.md)")
    .action(async (options: DaemonFlags & { foreground?: boolean; faults?: string }) => {
      const { runLocalStart } = await import("./local-start.ts");
      onExitCode(await runLocalStart(options, context));
    });
  // What `start` and `build --local` run in the background.
  withDaemonFlags(withStore(local.command("serve", { hidden: true })))
    .option("--ephemeral", "ends when its last client is gone")
    .action(async (options: DaemonFlags & { ephemeral?: boolean }) => {
      const { runLocalServe } = await import("./local-start.ts");
      onExitCode(await runLocalServe(options, context));
    });
  withStore(local.command("stop"))
    .description("stops it; its disks stay")
    .option("--force", "also under the builds that use it")
    .action(async (options: { store?: string; force?: boolean }) => {
      const { runLocalStop } = await import("./local-stop.ts");
      onExitCode(await runLocalStop(options, context));
    });
  withStore(local.command("status"))
    .description("tells whether it runs: exit code 0, or 1 if not")
    .option("--json", "prints it as JSON")
    .action(async (options: { store?: string; json?: boolean }) => {
      const { runLocalStatus } = await import("./local-status.ts");
      onExitCode(await runLocalStatus(options, context));
    });
  withStore(local.command("faults"))
    .description("makes its calls fail as a file says (docs/faults.md), or shows which it makes fail")
    .argument("[file]", "replaces the faults that are in force")
    .option("--clear", "removes all faults")
    .option("--json", "prints them as JSON")
    .action(async (file: string | undefined, options: import("./local-faults.ts").LocalFaultsOptions) => {
      const { runLocalFaults } = await import("./local-faults.ts");
      onExitCode(await runLocalFaults(file, options, context));
    });
  withStore(local.command("reset"))
    .description("deletes everything it holds")
    .option("--yes", "without asking")
    .action(async (options: { store?: string; yes?: boolean }) => {
      const { runLocalReset } = await import("./local-reset.ts");
      onExitCode(await runLocalReset(options, context));
    });
}

function addDiskCommands(local: Command, context: CliContext, onExitCode: OnExitCode): void {
  withStore(local.command("import"))
    .description("makes an image of a raw or qcow2 disk, or of a root file system in a tarball")
    .argument("<file>", "the disk or tarball; its content tells which")
    .requiredOption("--name <name>", "the name of the image")
    .option("--description <text>", "the description of the image")
    .addOption(new Option("--architecture <name>", "this host's by default").choices(["x86_64", "arm64", "i386"]))
    .option("--size <gib>", "the size of the disk in GiB, if it is to be larger", positiveNumber)
    .option("--json", "prints the result as JSON")
    .action(async (file: string, options: import("./local-import.ts").LocalImportOptions) => {
      const { runLocalImport } = await import("./local-import.ts");
      onExitCode(await runLocalImport(file, options, context));
    });
  withStore(local.command("export"))
    .description("writes the root disk of an image into a file")
    .argument("<image>", "the id or the name of the image")
    .argument("<file>", "the file to write")
    .addOption(new Option("--format <name>", "of the file").choices(["raw", "qcow2", "vmdk", "vhd"]).default("raw"))
    .option("--force", "replaces a file that is there")
    .option("--json", "prints the result as JSON")
    .action(async (image: string, file: string, options: import("./local-export.ts").LocalExportOptions) => {
      const { runLocalExport } = await import("./local-export.ts");
      onExitCode(await runLocalExport({ image, file }, options, context));
    });
}

function addTableCommands(local: Command, context: CliContext, onExitCode: OnExitCode): void {
  for (const kind of ["images", "volumes", "snapshots"] as const) {
    withStore(local.command(kind))
      .description(`lists its ${kind}`)
      .option("--json", "prints them as JSON")
      .action(async (options: { store?: string; json?: boolean }) => {
        const { runLocalTable } = await import("./local-table.ts");
        onExitCode(await runLocalTable(kind, options, context));
      });
  }
}

function withStore(command: Command): Command {
  return command.option("--store <directory>", "where it keeps its disks (AMIBAKE_LOCAL_STORE)");
}

function withDaemonFlags(command: Command): Command {
  return command
    .option("--port <number>", "the port of EC2, EBS and STS; any free one by default", portNumber)
    .option("--listen <address>", "the address of EC2, EBS and STS (default: 127.0.0.1)")
    .option("--imds <host:port>", "an address for the instance metadata service alone")
    .addOption(
      new Option("--latency <model>", "how long calls and states take (default: none)").choices(["none", "aws"]),
    )
    .option("--seed <number>", "decides the delays of --latency aws (default: 1)", wholeNumber)
    .addOption(
      new Option(
        "--blocks <place>",
        "where it keeps blocks of snapshots (default: disk); memory is for measuring: nothing survives",
      ).choices(["disk", "memory"]),
    )
    .option("--nitro", "is a Nitro instance: volumes appear as NVMe devices");
}

function wholeNumber(value: string): number {
  if (!/^\d+$/.test(value)) throw new InvalidArgumentError("it is not a whole number");
  return Number(value);
}

function positiveNumber(value: string): number {
  const number = wholeNumber(value);
  if (number < 1 || number > 65_536) throw new InvalidArgumentError("it is not between 1 and 65536");
  return number;
}

function portNumber(value: string): number {
  const number = wholeNumber(value);
  if (number > 65_535) throw new InvalidArgumentError("it is not between 0 and 65535");
  return number;
}
