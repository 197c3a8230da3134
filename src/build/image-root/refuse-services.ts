import { AsyncDisposableStack } from "../../base/async-disposable-stack.ts";
import { reasonOf, ToolError } from "../../base/errors.ts";
import { lendFile, lendingHint } from "../../linux/files/lend-file.ts";
import { resolveInRoot } from "../../linux/files/resolve-in-root.ts";
import type { Sandbox } from "../../linux/sandbox/sandbox.ts";
import type { BuildContext } from "../build-context.ts";

const POLICY_PATH = "/usr/sbin/policy-rc.d";
// invoke-rc.d(8) and deb-systemd-invoke(1) ask it before they start, stop or restart anything. 101: "action forbidden
// by policy", which is no failure of the package that asked.
const POLICY_SCRIPT = "#!/bin/sh\n# Of amibake, while this image is provisioned.\nexit 101\n";
// Either shows that the question will be asked: a package may bring invoke-rc.d only later.
const DEBIAN_PROGRAMS = ["/usr/bin/dpkg", "/usr/sbin/invoke-rc.d"];

/**
 * Lends a Debian image a policy that starts no services, for as long as the scope lasts. A daemon that a package
 * starts at its installation would serve on the host's network, and keep the image busy.
 */
export async function refuseServices(context: BuildContext, sandbox: Sandbox, root: string): Promise<AsyncDisposable> {
  const { config, emit } = context;
  const tell = (text: string) => emit({ type: "message", text });
  await using undo = new AsyncDisposableStack();
  const rootDirectory = sandbox.pathFromHere(root);
  if (config.allow_services || !(await isDebian(rootDirectory))) return undo.move();
  try {
    const policy = await lendFile(POLICY_PATH, { rootDirectory, tell }, async (file) => {
      await file.writeFile(POLICY_SCRIPT);
      await file.chmod(0o755);
    });
    undo.use(policy);
  } catch (cause) {
    const message = `Cannot keep services from starting, with "${POLICY_PATH}" in the image: ${reasonOf(cause)}`;
    throw new ToolError("ERR_SERVICE_POLICY", message, {
      cause,
      hint: lendingHint(cause) ?? 'Look at the directory in the source image, or set "allow_services": true',
    });
  }
  tell("Packages start no services while the image is provisioned (allow_services)");
  return undo.move();
}

async function isDebian(rootDirectory: string): Promise<boolean> {
  const found = await Promise.all(DEBIAN_PROGRAMS.map((path) => resolveInRoot(rootDirectory, path)));
  return found.some(({ exists }) => exists);
}
