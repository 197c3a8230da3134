import { resolve } from "node:path";
import { AsyncDisposableStack } from "../base/async-disposable-stack.ts";
import { acquireTogether, together } from "../base/together.ts";
import { openSandbox } from "../linux/sandbox.ts";
import type { BuildPlan } from "../template/build-plan.ts";
import type { BuildVariables } from "../template/deferred.ts";
import type { BuildContext } from "./build-context.ts";
import type { AmiArtifact } from "./build-events.ts";
import { mountChroot } from "./chroot-mounts.ts";
import { copyFiles } from "./copy-files.ts";
import { checkImageName } from "./image/check-image-name.ts";
import { findSourceImage, sourceVariables } from "./image/find-source-image.ts";
import { planImage, registerImage, shareImage } from "./image/register-image.ts";
import { mountRoot } from "./mount-root.ts";
import { provisionImage } from "./provision-image.ts";
import { createAttachedRootDisk } from "./root-disk/attached/attached-root-disk.ts";

/**
 * Bakes one AMI. Everything it makes is released at the end of the block that made
 * it, innermost first; only the image and its snapshot are kept, and only at the very end.
 *
 * @throws {ToolError} with nothing left behind, or with what was left reported as leftovers.
 */
export async function buildAmi(plan: BuildPlan, context: BuildContext): Promise<AmiArtifact> {
  const { ec2, config, signal, runStep } = context;
  const name = config.ami_name.render({});
  const source = await runStep(`Checking the name "${name}" and the source image`, async (progress) => {
    const [, found] = await together([checkImageName(ec2, name), findSourceImage(ec2, config)]);
    progress.tell(`${found.imageId} (${found.name})`);
    return found;
  });
  const variables: BuildVariables = sourceVariables(source, ec2.region);

  await using rootDisk = await createAttachedRootDisk(context, source, variables);
  // The inner scope ends with the image's processes ended, its file systems
  // unmounted and its device detached: that makes the snapshot below complete.
  {
    await using owner = new AsyncDisposableStack();
    // The mountpoint's place is known before the device is: up to where the template names it.
    const [mountPlace = "/"] = config.mount_path.source.split("{{");
    const keepVisible = [process.cwd(), resolve(plan.location.file), resolve(mountPlace)];
    const [device, sandbox] = await acquireTogether(owner, [rootDisk.attach(), openSandbox({ keepVisible, signal })]);
    await using root = await mountRoot(context, sandbox, device.devicePath);
    await mountChroot(context, sandbox, root.mountpoint);
    await using _copiedFiles = await copyFiles(context, sandbox, root.mountpoint);
    const hostVariables = { Device: device.devicePath, MountPath: root.mountpoint, PackerRunUUID: context.runId };
    await provisionImage(context, plan, {
      sandbox,
      mountpoint: root.mountpoint,
      variables: { ...variables, ...hostVariables },
    });
  }

  await using snapshot = await rootDisk.snapshot();
  const imagePlan = planImage(
    config,
    source,
    { snapshotId: snapshot.id, sizeGib: rootDisk.sizeGib },
    { name, variables },
  );
  // The volume has done its work: it goes while the image is being made.
  const release = async () => rootDisk[Symbol.asyncDispose]();
  const [registered] = await together([registerImage(context, imagePlan), release()]);
  await using image = registered;
  await shareImage(context, image.id);
  return {
    imageName: name,
    images: { [ec2.region]: image.keep() },
    snapshots: { [ec2.region]: [snapshot.keep()] },
  };
}
