import { resolve } from "node:path";
import { AsyncDisposableStack } from "../base/async-disposable-stack.ts";
import { explainFailure } from "../base/errors.ts";
import { acquireTogether, together } from "../base/together.ts";
import { openSandbox, type Sandbox } from "../linux/sandbox/sandbox.ts";
import type { BuildPlan } from "../template/build-plan.ts";
import type { BuildVariables } from "../template/deferred.ts";
import { NO_PROCESS_LIMIT } from "../template/schema/image-root-fields.ts";
import { keepable, keepableSandbox } from "./attendance/keep-failed.ts";
import type { BakedImage } from "./baked-image.ts";
import type { BuildContext } from "./build-context.ts";
import { checkArchitecture } from "./check-architecture.ts";
import { checkImageName } from "./image/check-image-name.ts";
import { findSourceImage, sourceVariables } from "./image/find-source-image.ts";
import { finishImage } from "./image/finish-image.ts";
import { planImage, registerImage, shareImage } from "./image/register-image.ts";
import { checkImageShell } from "./image-root/check-image-shell.ts";
import { mountChroot } from "./image-root/chroot-mounts.ts";
import { copyFiles } from "./image-root/copy-files.ts";
import { mountRoot } from "./image-root/mount-root.ts";
import { provisionImage } from "./image-root/provision-image.ts";
import { refuseServices } from "./image-root/refuse-services.ts";
import { createRootDisk } from "./root-disk/create-root-disk.ts";
import type { RootDisk } from "./root-disk/root-disk.ts";

/**
 * Bakes one AMI. Everything it makes is released at the end of the block that made
 * it, innermost first; only the image and its snapshot are kept, and only at the very end. Where a failed build is to
 * leave everything as it is, those releases do nothing but tell.
 *
 * @throws {ToolError} with nothing left behind, or with what was left reported as leftovers.
 */
export async function buildAmi(plan: BuildPlan, context: BuildContext): Promise<BakedImage> {
  const { ec2, config, means, runStep, failure } = context;
  const name = config.ami_name.render({});
  const source = await runStep(
    `Checking the name "${name}" and the source image`,
    async (progress) => {
      const [, found] = await together([checkImageName(ec2, name), findSourceImage(ec2, config, means.type)]);
      progress.tell(`${found.imageId} (${found.name})`);
      return found;
    },
    { isRepeatable: true },
  );
  await checkArchitecture(plan, source);
  const variables: BuildVariables = sourceVariables(source, ec2.region);

  await using rootDisk = await createRootDisk(context, source, variables);
  const imageVariables = await changeDisk(plan, context, { rootDisk, variables });
  await using snapshot = await rootDisk.snapshot();
  const imagePlan = planImage(
    config,
    source,
    { snapshotId: snapshot.id, sizeGib: rootDisk.sizeGib, blockDeviceMappings: rootDisk.blockDeviceMappings },
    { name, variables },
  );
  // The volume has done its work: it goes while the image is being made.
  const release = async () => rootDisk[Symbol.asyncDispose]();
  const [registered] = await together([registerImage(context, imagePlan), release()]);
  await using image = registered;
  await shareImage(context, image.id);
  await failure.watch(finishImage(context, image, [snapshot]));
  await rootDisk.noteContent?.();
  const artifact = {
    imageName: name,
    images: { [ec2.region]: image.id },
    snapshots: { [ec2.region]: [snapshot.id] },
  };
  const { readBlockManifest } = rootDisk;
  return {
    artifact,
    variables: imageVariables,
    ...(readBlockManifest && { readBlockManifests: async () => [await readBlockManifest()] }),
  };
}

/**
 * Mounts the disk and provisions it. When this resolves the image's processes are ended, its file systems unmounted and
 * its device detached: that makes a snapshot complete.
 *
 * @returns what a template may name from here on.
 */
async function changeDisk(
  plan: BuildPlan,
  context: BuildContext,
  { rootDisk, variables }: { readonly rootDisk: RootDisk; readonly variables: BuildVariables },
): Promise<BuildVariables> {
  const { config, failure, signal } = context;
  try {
    await using owner = new AsyncDisposableStack();
    // The mountpoint's place is known before the device is: up to where the template names it.
    const [mountPlace = "/"] = config.mount_path.source.split("{{");
    const keepVisible = [process.cwd(), resolve(plan.location.file), resolve(mountPlace)];
    const syncLauncher = config.suppress_sync ? context.findSyncLauncher(context.emit) : undefined;
    const [device, sandbox] = await acquireTogether(owner, [
      rootDisk.attach(),
      failure.watch(openBuildSandbox(context, keepVisible)),
    ]);
    await using root = await failure.watch(mountRoot(context, sandbox, device.devicePath));
    await failure.watch(checkImageShell(plan, sandbox.pathFromHere(root.mountpoint)));
    await mountChroot(context, sandbox, root.mountpoint);
    await failure.watch(root.noteOwnMounts());
    await using _copiedFiles = keepable(context, await copyFiles(context, sandbox, root.mountpoint));
    await using _servicePolicy = keepable(
      context,
      await failure.watch(refuseServices(context, sandbox, root.mountpoint)),
    );
    const hostVariables = { Device: device.devicePath, MountPath: root.mountpoint, PackerRunUUID: context.runId };
    const launcher = await syncLauncher;
    const imageVariables = { ...variables, ...hostVariables };
    const image = { sandbox, mountpoint: root.mountpoint, launcher, variables: imageVariables };
    await failure.watch(provisionImage(context, plan, image));
    return imageVariables;
  } catch (error) {
    const diskFailure = signal.aborted ? undefined : rootDisk.failure?.();
    throw diskFailure === undefined ? error : explainFailure(error, diskFailure);
  }
}

async function openBuildSandbox(context: BuildContext, keepVisible: readonly string[]): Promise<Sandbox> {
  const { config, signal, emit } = context;
  const isLimited = config.max_processes !== NO_PROCESS_LIMIT;
  const sandbox = await openSandbox({ keepVisible, ...(isLimited && { processesMax: config.max_processes }), signal });
  if (isLimited && !sandbox.hasProcessLimit) {
    emit({ type: "message", text: "max_processes is not in force: amibake cannot make a pids cgroup on this host" });
  }
  return keepableSandbox(context, sandbox);
}
