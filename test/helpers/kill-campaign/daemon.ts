// The local cloud's daemon as a child process that can be killed, and its clients.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { EBSClient } from "@aws-sdk/client-ebs";
import { EC2Client } from "@aws-sdk/client-ec2";
import { STSClient } from "@aws-sdk/client-sts";
import type { DaemonLine } from "../../../src/linux/daemons/reach-daemon.ts";
import type { DaemonStatus } from "../../../src/local-cloud/daemon/control-protocol.ts";
import { amibakeCommand } from "../amibake-cli.ts";

// The SDK reads it when a client is made.
process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface KilledDaemon {
  readonly storeDirectory: string;
  readonly instanceId: string;
  readonly ec2: EC2Client;
  readonly ebs: EBSClient;
  ec2Of(region: string): EC2Client;
  stsOf(credentials?: Credentials): STSClient;
  /** Ends it with SIGKILL. */
  kill(): Promise<void>;
  /** Ends it as a person would. */
  stop(): Promise<void>;
}

/** A daemon that may not be ready yet. */
export interface StartingDaemon {
  readonly ready: Promise<KilledDaemon>;
  kill(): Promise<void>;
}

export async function startDaemon(storeDirectory: string): Promise<StartingDaemon> {
  const [program = "", ...args] = await amibakeCommand();
  const child = spawn(program, [...args, "local", "serve", "--store", storeDirectory], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { PATH: process.env["PATH"] ?? "", LC_ALL: "C" },
  });
  // "exit", not "close": its commands outlive it, and hold its output.
  const exited = once(child, "exit");
  const clients: { destroy(): void }[] = [];
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await exited;
    child.stdout.destroy();
    for (const client of clients.splice(0)) client.destroy();
  };
  return { ready: connect(), kill: () => end("SIGKILL") };

  async function connect(): Promise<KilledDaemon> {
    const environment = await firstLine(child.stdout);
    const own = {
      accessKeyId: environment["AWS_ACCESS_KEY_ID"] ?? "",
      secretAccessKey: environment["AWS_SECRET_ACCESS_KEY"] ?? "",
    };
    const endpoint = environment["AWS_ENDPOINT_URL"] ?? "";
    const settings = (region: string, credentials: Credentials) => ({ endpoint, region, credentials, maxAttempts: 1 });
    const keep = <T extends { destroy(): void }>(client: T): T => {
      clients.push(client);
      return client;
    };
    const byRegion = new Map<string, EC2Client>();
    const ec2Of = (region: string): EC2Client => {
      const client = byRegion.get(region) ?? keep(new EC2Client(settings(region, own)));
      byRegion.set(region, client);
      return client;
    };
    return {
      storeDirectory,
      instanceId: await (await fetch(`${endpoint}/latest/meta-data/instance-id`)).text(),
      ec2: ec2Of("us-east-1"),
      ebs: keep(new EBSClient(settings("us-east-1", own))),
      ec2Of,
      stsOf: (credentials = own) => keep(new STSClient(settings("us-east-1", credentials))),
      kill: () => end("SIGKILL"),
      stop: () => end("SIGTERM"),
    };
  }
}

async function firstLine(output: NodeJS.ReadableStream): Promise<Readonly<Record<string, string>>> {
  for await (const text of createInterface({ input: output })) {
    const line = JSON.parse(text) as DaemonLine<DaemonStatus>;
    assert.ok("ready" in line, text);
    return line.ready.environment;
  }
  throw new Error("The daemon ended before it was ready");
}
