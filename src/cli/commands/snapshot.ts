// The names, flags and help of `amibake snapshot …` and `amibake verify`. Each command's code is loaded when it runs.
import { type Command, InvalidArgumentError } from "commander";
import type { CliContext } from "../cli-context.ts";
import type { ExitCode } from "../exit-codes.ts";

type OnExitCode = (code: ExitCode) => void;

export function registerSnapshotCommands(program: Command, context: CliContext, onExitCode: OnExitCode): void {
  const snapshot = program.command("snapshot").description("moves disks between files and snapshots, block by block");
  withPlace(snapshot.command("upload"))
    .description("makes a snapshot of a raw disk; interrupted, the same command goes on where it was")
    .argument("<file>", "a raw disk; its holes are not sent")
    .option("--description <text>", "the description of the snapshot (default: the file's name)")
    .option("--tag <key=value>", "a tag of the snapshot; may be repeated, with another key each time", collect)
    .option("--parent <snapshot>", "sends only what differs from it, and makes the new one its child")
    .option("--size <gib>", "the size of the volume in GiB, if it is to be larger than the file", gibibytes)
    .option("--encrypted", "encrypts it with the account's default key")
    .option("--kms-key <arn>", "encrypts it with this key")
    .action(async (file: string, options: import("./snapshot-upload.ts").SnapshotUploadOptions) => {
      const { runSnapshotUpload } = await import("./snapshot-upload.ts");
      onExitCode(await runSnapshotUpload(file, options, context));
    });
  withPlace(snapshot.command("download"))
    .description("writes a snapshot into a sparse file; interrupted, the same command goes on where it was")
    .argument("<snapshot>", "the id of a completed snapshot, which is not public")
    .argument("<file>", "the file to write")
    .option("--force", "replaces a file that is there, at the end; of a link, the file that it leads to")
    .action(async (id: string, file: string, options: import("./snapshot-download.ts").SnapshotDownloadOptions) => {
      const { runSnapshotDownload } = await import("./snapshot-download.ts");
      onExitCode(await runSnapshotDownload({ snapshot: id, file }, options, context));
    });
  withPlace(program.command("verify"))
    .description("reads the snapshots of an image back, and compares each block whose hash is recorded")
    .argument("<id>", "an image or a snapshot")
    .option("--manifest <file>", "what was written: a manifest post-processor's file, or one of another host's")
    .action(async (id: string, options: import("./verify.ts").VerifyOptions) => {
      const { runVerify } = await import("./verify.ts");
      onExitCode(await runVerify(id, options, context));
    });
}

function withPlace(command: Command): Command {
  return command
    .option("--region <region>", "where the snapshot is (default: as AWS's tools find it)")
    .option("--profile <name>", "a profile of the shared configuration files")
    .option("--local", "in the local cloud: no AWS account is used")
    .option("--store <directory>", "with --local: where that keeps its disks")
    .option("--json", "prints progress and result as lines of JSON");
}

function collect(value: string, previous: readonly string[] = []): string[] {
  return [...previous, value];
}

function gibibytes(value: string): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < 1 || number > 65_536) {
    throw new InvalidArgumentError("it is not a whole number between 1 and 65536");
  }
  return number;
}
