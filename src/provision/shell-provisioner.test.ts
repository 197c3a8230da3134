import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type HostCommunicator, openHostCommunicator } from "../../test/helpers/host-communicator.ts";
import { systemClock } from "../base/clock.ts";
import { seededRandom } from "../base/random.ts";
import { type Deferred, plainText } from "../template/deferred.ts";
import { type ShellProvisionerConfig, shellProvisionerSchema } from "../template/schema/shell-provisioner.ts";
import type { ProvisionContext } from "./provision-context.ts";
import type { ProvisionEvent } from "./provision-events.ts";
import { runShellProvisioner } from "./shell-provisioner.ts";
import { ShellProvisionerError } from "./shell-provisioner-error.ts";

function deferred(needs: readonly string[], render: Deferred["render"]): Deferred {
  return { source: "", needs, render };
}

interface Bench extends AsyncDisposable {
  readonly image: HostCommunicator;
  readonly events: ProvisionEvent[];
  readonly context: ProvisionContext;
  run(config: Record<string, unknown>): Promise<void>;
  /** The lines of standard output. */
  stdout(): string[];
}

async function openBench(changes: Partial<ProvisionContext> = {}): Promise<Bench> {
  const image = await openHostCommunicator();
  const events: ProvisionEvent[] = [];
  const context: ProvisionContext = {
    communicator: image,
    variables: { SourceAMI: "ami-1" },
    buildName: "web",
    buildType: "amazon-chroot",
    signal: new AbortController().signal,
    emit: (event) => events.push(event),
    clock: systemClock,
    ...changes,
  };
  return {
    image,
    events,
    context,
    run: (config) => runShellProvisioner(shellConfig({ remote_folder: image.directory, ...config }), context),
    stdout: () => events.flatMap((event) => (event.type === "output" && event.stream === "stdout" ? [event.line] : [])),
    [Symbol.asyncDispose]: () => image[Symbol.asyncDispose](),
  };
}

function shellConfig(config: Record<string, unknown>): ShellProvisionerConfig {
  return shellProvisionerSchema.parse(config);
}

function inline(...lines: string[]): { inline: Deferred[] } {
  return { inline: lines.map(plainText) };
}

test("runShellProvisioner() runs inline commands as one script that stops at the first failure", async () => {
  await using bench = await openBench();
  await bench.run(inline("cd /", "pwd", "echo second"));
  assert.deepEqual(bench.stdout(), ["/", "second"]);
  await assert.rejects(bench.run(inline("false", "echo never")), ShellProvisionerError);
  assert.ok(!bench.stdout().includes("never"));
});

test("runShellProvisioner() removes the script after success and after failure", async () => {
  await using bench = await openBench();
  await bench.run({ ...inline("true"), use_env_var_file: true });
  await assert.rejects(bench.run({ ...inline("exit 3"), use_env_var_file: true }), ShellProvisionerError);
  assert.deepEqual(await readdir(bench.image.directory), []);
});

test("runShellProvisioner() leaves the script with skip_clean, but never the file with the environment", async () => {
  await using bench = await openBench();
  await bench.run({ ...inline("true"), skip_clean: true, use_env_var_file: true, remote_file: "kept.sh" });
  assert.deepEqual(await readdir(bench.image.directory), ["kept.sh"]);
  assert.equal((await stat(join(bench.image.directory, "kept.sh"))).mode & 0o777, 0o755);
});

test("runShellProvisioner() names the script, the exit code and the last lines of a failure", async () => {
  await using bench = await openBench();
  await assert.rejects(bench.run(inline("seq 1 30; sleep 0.1", "echo oops >&2", "exit 3")), (error: unknown) => {
    assert.ok(error instanceof ShellProvisionerError);
    assert.equal(error.script, "inline");
    assert.equal(error.exitCode, 3);
    assert.equal(error.lastLines.length, 20);
    assert.equal(error.lastLines.at(-1), "oops");
    assert.equal(
      error.message.split("\n", 2).join("|"),
      "Cannot finish the inline script: exit code is 3; its last lines:|  12",
    );
    return true;
  });
});

test("runShellProvisioner() says what lets an ordinary user of the image use sudo", async () => {
  await using bench = await openBench();
  const sudo = 'sudo: The "no new privileges" flag is set, which prevents sudo from running as root.';
  await assert.rejects(bench.run(inline(`echo '${sudo}' >&2; exit 1`)), {
    hint: 'Set "suppress_sync": false in the builder: with it, only root can use sudo in the image',
  });
});

test("runShellProvisioner() accepts only the valid exit codes", async () => {
  await using bench = await openBench();
  await bench.run({ ...inline("exit 2"), valid_exit_codes: [0, 2] });
  await assert.rejects(bench.run({ ...inline("exit 1"), valid_exit_codes: [0, 2] }), {
    code: "ERR_SCRIPT_FAILED",
    message: "Cannot finish the inline script: exit code is 1, allowed are 0, 2; it printed nothing",
  });
  await assert.rejects(bench.run(inline("no-such-command-anywhere")), { hint: /was not found in the image/ });
});

test("runShellProvisioner() streams lines as they come, and cleans up when it is aborted", async () => {
  const seen: string[] = [];
  const controller = new AbortController();
  const image = await openHostCommunicator();
  await using _image = image;
  const running = runShellProvisioner(
    shellConfig({ ...inline("echo early", "exec sleep 60"), remote_folder: image.directory }),
    {
      communicator: image,
      variables: {},
      buildName: "web",
      buildType: "amazon-chroot",
      signal: controller.signal,
      clock: systemClock,
      emit(event) {
        if (event.type === "output") seen.push(event.line);
        // The line is here although its script would sleep on: end it.
        controller.abort(new Error("seen"));
      },
    },
  );
  await assert.rejects(running, { message: "seen" });
  assert.deepEqual(seen, ["early"]);
  assert.deepEqual(await readdir(image.directory), []);
});

test("runShellProvisioner() hands environment values over exactly, however they are written", async () => {
  const random = seededRandom(Number(process.pid));
  const alphabet = [
    "a",
    "$",
    "`",
    "'",
    '"',
    "\\",
    "\n",
    " ",
    "\t",
    "!",
    "*",
    "é",
    "$(id)",
    "$" + "{HOME}",
    "\r",
    ";",
    "&",
    "%s",
    "=",
  ];
  const values: string[] = ["", "'", "''", "\\", "\n", "$HOME", "`id`", "a'b\"c", "x\n", "\ny"];
  for (let count = 0; count < 40; count++) {
    const length = 1 + Math.floor(random() * 12);
    values.push(Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)]).join(""));
  }
  const env = Object.fromEntries(values.map((value, index) => [`V${index}`, plainText(value)]));
  await using bench = await openBench();
  const target = join(bench.image.directory, "values");
  const print = `printf '%s\\0' ${values.map((_value, index) => `"$V${index}"`).join(" ")} > '${target}'`;
  for (const use_env_var_file of [false, true]) {
    await bench.run({ ...inline(print), env, use_env_var_file });
    assert.deepEqual((await readFile(target, "utf8")).split("\0").slice(0, -1), values, `seed ${process.pid}`);
  }
});

test("runShellProvisioner() tells the script its build, and lets env win over environment_vars", async () => {
  await using bench = await openBench();
  await bench.run({
    ...inline('echo "$PACKER_BUILD_NAME $PACKER_BUILDER_TYPE $A $B"'),
    environment_vars: [plainText("A=list=1"), plainText("B=list")],
    env: { B: deferred(["SourceAMI"], (variables) => variables["SourceAMI"] ?? "") },
  });
  assert.deepEqual(bench.stdout(), ["web amazon-chroot list=1 ami-1"]);
});

test("runShellProvisioner() writes variables as env_var_format says", async () => {
  await using bench = await openBench();
  const execute = deferred(["Vars"], ({ Vars, Path }) => `echo "${Vars}"; sh ${Path}`);
  await bench.run({
    ...inline("true"),
    environment_vars: [plainText("A=1")],
    env_var_format: "%s:%s%%, ",
    execute_command: execute,
  });
  assert.deepEqual(bench.stdout(), ["A:1%, PACKER_BUILDER_TYPE:amazon-chroot%, PACKER_BUILD_NAME:web%, "]);
});

test("runShellProvisioner() refuses a name or a value that no environment can hold", async () => {
  await using bench = await openBench();
  const late = (text: string) => ({ environment_vars: [deferred(["SourceAMI"], () => text)] });
  await assert.rejects(bench.run({ ...inline("true"), ...late("1A=x") }), {
    code: "ERR_ENVIRONMENT_VARIABLE",
    message: 'Cannot set the environment variable "1A": it is not a name',
  });
  await assert.rejects(bench.run({ ...inline("true"), ...late("A=\0") }), {
    message: 'Cannot set the environment variable "A": its value has a NUL character',
  });
  await assert.rejects(bench.run({ ...inline("true"), ...late(`A=${"x".repeat(140_000)}`) }), {
    code: "ERR_ENVIRONMENT_VARIABLE",
    hint: 'Set "use_env_var_file": true',
  });
});

test("runShellProvisioner() makes Windows line ends Unix ones unless the script is binary", async () => {
  await using bench = await openBench();
  await using host = await temporaryDirectory();
  const script = join(host.path, "windows.sh");
  await writeFile(script, "#!/bin/sh\r\necho hello\r\nprintf 'a\\rb'\r\n");
  const keep = { remote_file: "kept", skip_clean: true };
  await bench.run({ script, ...keep });
  assert.equal(await readFile(join(bench.image.directory, "kept"), "utf8"), "#!/bin/sh\necho hello\nprintf 'a\\rb'\n");
  assert.equal(bench.stdout()[0], "hello");
  await bench.run({ script, ...keep, binary: true, execute_command: deferred([], () => "true") });
  assert.match(await readFile(join(bench.image.directory, "kept"), "latin1"), /^#!\/bin\/sh\r\n/);
});

test("runShellProvisioner() keeps the user's first line, unless inline_shebang says otherwise", async () => {
  await using bench = await openBench();
  const firstLine = async (config: Record<string, unknown>) => {
    await bench.run({ ...config, remote_file: "kept", skip_clean: true });
    return (await readFile(join(bench.image.directory, "kept"), "utf8")).split("\n", 1)[0];
  };
  assert.equal(await firstLine(inline("true")), "#!/bin/sh -e");
  assert.equal(await firstLine(inline("#!/bin/sh -u\ntrue")), "#!/bin/sh -u");
  assert.equal(await firstLine({ ...inline("true"), inline_shebang: "/bin/sh -x" }), "#!/bin/sh -x");
});

test("runShellProvisioner() runs scripts in their order and stops at the first that fails", async () => {
  await using bench = await openBench();
  await using host = await temporaryDirectory();
  const scripts: string[] = [];
  for (const [name, text] of Object.entries({ "a.sh": "echo a", "b.sh": "echo b; exit 4", "c.sh": "echo c" })) {
    scripts.push(join(host.path, name));
    await writeFile(join(host.path, name), `#!/bin/sh\n${text}\n`);
  }
  await assert.rejects(bench.run({ scripts }), { script: scripts[1], exitCode: 4 });
  assert.deepEqual(bench.stdout(), ["a", "b"]);
  await assert.rejects(bench.run({ script: join(host.path, "gone.sh") }), {
    code: "ERR_SCRIPT_READ",
    message: `Cannot read the script "${host.path}/gone.sh": there is no such file`,
  });
});

test("runShellProvisioner() tries again what fails for want of a resource, and nothing else", async () => {
  const sleeps: number[] = [];
  const clock = { now: () => 0, sleep: async (durationMs: number) => void sleeps.push(durationMs) };
  await using bench = await openBench({ clock });
  const failing = (code: string, times: number) => {
    let count = 0;
    const upload: HostCommunicator["uploadBytes"] = async (...given) => {
      if (count++ < times) throw Object.assign(new Error(`upload: ${code}`), { code });
      await bench.image.uploadBytes(...given);
    };
    return { ...bench.context, communicator: { ...bench.image, uploadBytes: upload } };
  };
  const config = shellConfig({ ...inline("echo ran"), remote_folder: bench.image.directory });
  await runShellProvisioner(config, failing("ETXTBSY", 2));
  assert.deepEqual(sleeps, [2000, 2000]);
  assert.deepEqual(bench.stdout(), ["ran"]);
  assert.deepEqual(bench.events[0], { type: "retry", call: "start the script", attempt: 1, reason: "upload: ETXTBSY" });
  await assert.rejects(runShellProvisioner(config, failing("ENOSPC", 1)), { message: "upload: ENOSPC" });
  assert.equal(sleeps.length, 2);
  const impatient = shellConfig({ ...config, start_retry_timeout: 4000 });
  await assert.rejects(runShellProvisioner(impatient, failing("ETXTBSY", 9)), { message: "upload: ETXTBSY" });
  assert.equal(sleeps.length, 4);
});

test("runShellProvisioner() fails if the script cannot be removed, unless it failed before", async () => {
  await using bench = await openBench();
  const removeFile: HostCommunicator["removeFile"] = async (path) => {
    throw new Error(`"${path}" is on a read-only file system`);
  };
  const context = { ...bench.context, communicator: { ...bench.image, removeFile } };
  const config = (line: string) =>
    shellConfig({ ...inline(line), remote_folder: bench.image.directory, remote_file: "s" });
  const message = `Cannot clean up after the script: "${bench.image.directory}/s" is on a read-only file system`;
  await assert.rejects(runShellProvisioner(config("true"), context), { code: "ERR_SCRIPT_CLEAN", message });
  await assert.rejects(runShellProvisioner(config("exit 5"), context), { code: "ERR_SCRIPT_FAILED" });
  assert.deepEqual(bench.events.at(-1), { type: "warning", text: message });
});

test("runShellProvisioner() waits pause_after when the scripts are done", async () => {
  const sleeps: number[] = [];
  await using bench = await openBench({ clock: { now: () => 0, sleep: async (ms: number) => void sleeps.push(ms) } });
  await bench.run({ ...inline("true"), pause_after: 5000 });
  assert.deepEqual(sleeps, [5000]);
  assert.deepEqual(bench.events, [{ type: "message", text: "Waiting 5.0 s after the scripts" }]);
});

async function temporaryDirectory(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "amibake-host-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
