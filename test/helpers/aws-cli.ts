import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { CloudFixture } from "./local-cloud-fixture.ts";
import { ROOT } from "./source-files.ts";

// Debian's: the first `aws` in PATH may be another one.
/** Why tests with the AWS CLI are skipped, or false. */
export const AWS_CLI_MISSING = existsSync("/usr/bin/aws") ? false : "awscli is not installed: apt-get install awscli";

interface Outcome {
  /** The parsed answer; undefined when there is none or the call failed. */
  // biome-ignore lint/suspicious/noExplicitAny: the CLI's answers are as many shapes as there are commands.
  readonly json: any;
  readonly exitCode: number;
  readonly stderr: string;
}

export interface AwsCli extends AsyncDisposable {
  run(line: string): Promise<Outcome>;
  /** Of calls. */
  count(): number;
}

/** Runs the CLI as a user would, with nothing of this machine's own AWS configuration. Calls wait for each other. */
export function awsCli(fixture: CloudFixture): AwsCli {
  const { url, region, credentials } = fixture.cloud;
  const env = {
    PATH: "/usr/bin:/bin",
    HOME: "/nonexistent",
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_PAGER: "",
  };
  const child = spawn("/usr/bin/python3", [join(ROOT, "test/fixtures/aws-cli.py")], {
    env,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let callCount = 0;
  return {
    count: () => callCount,
    async run(line) {
      callCount += 1;
      const words = line.split(" ").map((word) => word.replaceAll("~", " "));
      const argv = ["--endpoint-url", url, "--region", region, "--output", "json", ...words];
      child.stdin.write(`${JSON.stringify(argv)}\n`);
      const { value } = await answers.next();
      if (value === undefined) throw new Error(`The AWS CLI ended at: ${line}`);
      const { exitCode, stdout, stderr } = JSON.parse(value) as { exitCode: number; stdout: string; stderr: string };
      const hasAnswer = exitCode === 0 && stdout.trim() !== "";
      return { json: hasAnswer ? JSON.parse(stdout) : undefined, exitCode, stderr };
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      if (child.exitCode === null) await once(child, "exit");
    },
  };
}
