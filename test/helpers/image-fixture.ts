import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Ec2Api } from "../../src/aws/ec2-api.ts";
import { AsyncDisposableStack } from "../../src/base/async-disposable-stack.ts";
import { systemClock } from "../../src/base/clock.ts";
import type { Leftover } from "../../src/base/errors.ts";
import type { DevicePath } from "../../src/base/ids.ts";
import { attendBuild } from "../../src/build/attendance/attend-build.ts";
import type { BuildContext } from "../../src/build/build-context.ts";
import type { BuildEvent } from "../../src/build/build-events.ts";
import { createFindSyncLauncher } from "../../src/build/image-root/suppress-sync.ts";
import { openJournal } from "../../src/build/journal/journal.ts";
import { attachLoopDevice, detachLoopDevice } from "../../src/linux/devices/loop-device.ts";
import { addPartitions, removePartitions } from "../../src/linux/devices/partitions.ts";
import { openSandbox, type Sandbox } from "../../src/linux/sandbox/sandbox.ts";
import { plainText } from "../../src/template/deferred.ts";
import type { AmazonChrootConfig } from "../../src/template/schema/amazon-chroot.ts";
import { tinyBaseImage } from "./base-image.ts";
import type { DiskLayout } from "./disk-layouts.ts";

export interface ImageFixture extends AsyncDisposable {
  readonly device: DevicePath;
  readonly sandbox: Sandbox;
  readonly context: BuildContext;
  readonly events: BuildEvent[];
  /** A directory of its own on the host. */
  readonly scratch: string;
}

const INSTANCE = {
  instanceId: "i-1",
  region: "us-east-1",
  availabilityZone: "us-east-1a",
  accountId: "123456789012",
};

/** A tiny image on a loop device, a sandbox, and a build context that never calls AWS. */
export async function openImageFixture(
  options: { layout?: DiskLayout; config?: Partial<AmazonChrootConfig>; signal?: AbortSignal } = {},
): Promise<ImageFixture> {
  await using undo = new AsyncDisposableStack();
  const scratch = await mkdtemp(join(tmpdir(), "amibake-image-"));
  undo.defer(() => rm(scratch, { recursive: true }));
  const disk = join(scratch, "disk.raw");
  await copyFile(await tinyBaseImage({ layout: options.layout ?? "gpt" }), disk);
  const device = (await attachLoopDevice(disk)) as DevicePath;
  undo.defer(() => detachLoopDevice(device));
  if (options.layout !== "whole-disk") {
    await addPartitions(device);
    undo.defer(() => removePartitions(device));
  }
  const signal = options.signal ?? new AbortController().signal;
  const sandbox = await openSandbox({
    keepVisible: [process.cwd()],
    processesMax: options.config?.max_processes ?? 4096,
    signal,
  });
  undo.use(sandbox);
  const journal = await openJournal({
    directory: join(scratch, "journal"),
    buildName: "test",
    template: "test.json",
    place: { accountId: "123456789012", region: "us-east-1" },
  });
  undo.use(journal);
  const events: BuildEvent[] = [];
  const emit = (event: BuildEvent) => void events.push(event);
  const context: BuildContext = {
    buildName: "test",
    config: { ...defaultConfig(join(scratch, "mnt")), ...options.config },
    environment: {},
    ec2: {} as Ec2Api,
    means: { type: "amazon-chroot", instance: INSTANCE, devicePath: undefined },
    polling: undefined,
    journal,
    signal,
    clock: systemClock,
    emit,
    ...attendBuild({ buildName: "test", emit, signal }),
    reportLeftover: (leftover: Leftover) => emit({ type: "leftover", leftover }),
    runId: "run",
    findSyncLauncher: createFindSyncLauncher(),
  };
  const owned = undo.move();
  return { device, sandbox, context, events, scratch, [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose]() };
}

function defaultConfig(mountPath: string): AmazonChrootConfig {
  return {
    type: "amazon-chroot",
    ami_name: plainText("test"),
    ami_groups: [],
    ami_users: [],
    ami_product_codes: [],
    tags: [],
    snapshot_tags: [],
    tag: [],
    snapshot_tag: [],
    mount_path: plainText(mountPath),
    mount_options: [],
    mount_command: "mount",
    unmount_command: "umount",
    command_wrapper: { source: "{{.Command}}", needs: ["Command"], render: ({ Command = "" }) => Command },
    chroot_mounts: [],
    copy_files: [],
    pass_environment: [],
    allow_services: false,
    max_processes: 4096,
    suppress_sync: true,
  };
}
