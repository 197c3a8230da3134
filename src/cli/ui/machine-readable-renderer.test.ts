import assert from "node:assert/strict";
import { test } from "node:test";
import { ARTIFACT, FAILURE, RecordedStream, START, SUCCESS } from "../../../test/helpers/sample-build-events.ts";
import { Secrets } from "../../base/secrets.ts";
import { createCleaner } from "./clean-events.ts";
import { MachineReadableRenderer } from "./machine-readable-renderer.ts";

const SECONDS = START.getTime() / 1000;

function open() {
  const stdout = new RecordedStream();
  const renderer = new MachineReadableRenderer(stdout, () => START);
  const cleaner = createCleaner(new Secrets(["hunter2"]));
  return { renderer, cleaner, lines: () => stdout.take().replaceAll(`${SECONDS},`, "").split("\n").slice(0, -1) };
}

test("steps and output are Packer's ui lines, commas escaped", () => {
  const { renderer, cleaner, lines } = open();
  for (const event of SUCCESS) renderer.event(cleaner.event(event));
  assert.deepEqual(lines(), [
    ",ui,say,==> debian: Creating the volume",
    ",ui,message,    debian: Made volume vol-0aa in us-east-1",
    ",ui,say,==> debian: Running the shell provisioner",
    ",ui,message,    debian: Setting up nginx%!(PACKER_COMMA) done",
    ",ui,message,    debian: ",
    ",ui,say,==> debian: Warning: The image has no network",
    ",ui,message,    debian: hint: Set copy_files",
    ",ui,say,==> debian: Creating the snapshot",
    ",ui,message,    debian: Try 1 failed%!(PACKER_COMMA) trying again: DescribeSnapshots: RequestLimitExceeded",
    ",ui,say,==> debian: Finished in 20.2 s",
  ]);
});

test("the result has Packer's artifact lines, line ends escaped", () => {
  const { renderer, lines } = open();
  const artifacts = [{ build: "debian", artifact: ARTIFACT }];
  renderer.result({ artifacts, failures: [], leftovers: [], elapsedMs: 1, exitCode: 0 });
  assert.deepEqual(lines(), [
    ",ui,say,\\n==> Builds finished. The artifacts of successful builds are:",
    "debian,artifact-count,1",
    "debian,artifact,0,builder-id,mitchellh.amazon.chroot",
    "debian,artifact,0,id,eu-west-1:ami-0bb%!(PACKER_COMMA)us-east-1:ami-0aa",
    "debian,artifact,0,string,AMIs were created:\\nus-east-1: ami-0aa\\neu-west-1: ami-0bb\\n",
    "debian,artifact,0,files-count,0",
    "debian,artifact,0,end",
    ",ui,say,--> debian: AMIs were created:\\nus-east-1: ami-0aa\\neu-west-1: ami-0bb\\n",
  ]);
});

test("failures are counted and named", () => {
  const { renderer, cleaner, lines } = open();
  const failed = FAILURE.find((event) => event.type === "build-failed");
  assert.ok(failed !== undefined);
  const failures = [{ build: "debian", error: cleaner.error(failed.error) }];
  renderer.result({ artifacts: [], failures, leftovers: [], elapsedMs: 1, exitCode: 1 });
  const text = 'Cannot run the script "setup.sh" with <sensitive>: exit code is 3\\nhint: Look at its last lines';
  assert.deepEqual(lines(), [
    ",error-count,1",
    ",ui,error,\\n==> Some builds did not complete successfully and had errors:",
    `debian,error,${text}`,
    `,ui,error,--> debian: ${text}`,
    ",ui,say,\\n==> Builds finished but no artifacts were created.",
  ]);
});
