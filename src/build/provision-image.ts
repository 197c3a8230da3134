import { chrootCommunicator } from "../linux/chroot-communicator.ts";
import type { Sandbox, SandboxProcess } from "../linux/sandbox.ts";
import { runProvisioners } from "../provision/run-provisioners.ts";
import type { BuildPlan } from "../template/build-plan.ts";
import type { BuildVariables } from "../template/deferred.ts";
import type { BuildContext } from "./build-context.ts";
import { commandWrappers } from "./command-wrappers.ts";

// Long enough for a database to write its files, short enough not to be felt at every build.
const PROCESS_GRACE_MS = 5000;

/** Runs the provisioners in the image, then ends every process they left, whether they succeeded or not. */
export async function provisionImage(
  context: BuildContext,
  plan: BuildPlan,
  image: { readonly sandbox: Sandbox; readonly mountpoint: string; readonly variables: BuildVariables },
): Promise<void> {
  const { emit, signal, runStep } = context;
  const onProcessesEnded = (processes: readonly SandboxProcess[]): void => {
    const names = processes.map(({ commandLine }) => commandLine);
    emit({ type: "message", text: `Ended ${names.length} process(es) left in the image: ${names.join("; ")}` });
  };
  await using _processes = {
    async [Symbol.asyncDispose]() {
      const ended = await image.sandbox.endProcesses(PROCESS_GRACE_MS);
      if (ended.length > 0) onProcessesEnded(ended);
    },
  };
  await runProvisioners(plan.provisioners, {
    communicator: chrootCommunicator({
      sandbox: image.sandbox,
      mountpoint: image.mountpoint,
      environment: imageEnvironment(context.environment),
      wrap: commandWrappers(context.config).wrap,
      onProcessesEnded,
    }),
    variables: image.variables,
    buildName: plan.name,
    buildType: plan.type,
    signal,
    emit,
    runStep,
  });
}

const PROXY_VARIABLES = ["http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy"];

/** What commands in the image see of the host: nothing but the terminal type and the proxies. */
function imageEnvironment(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const passed = [...PROXY_VARIABLES, ...PROXY_VARIABLES.map((name) => name.toUpperCase())].flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: "/root",
    TERM: environment["TERM"] || "dumb",
    LANG: "C.UTF-8",
    ...Object.fromEntries(passed),
  };
}
