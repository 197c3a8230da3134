import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { systemClock } from "../base/clock.ts";
import { NEVER } from "../base/never.ts";
import { checkEbsPermissions } from "./check-ebs-permissions.ts";
import { checkPermissions } from "./check-permissions.ts";

// The SDK reads it when a client is made.
process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";

const PAGE = new URL("../../docs/permissions.md", import.meta.url);

/** All that is asked for, whatever is answered. */
async function askedPermissions() {
  const server = createServer((request, response) => {
    request.resume().once("end", () => response.writeHead(403).end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const options = {
    region: "us-east-1",
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: async () => ({ accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" }),
    signal: NEVER,
    clock: systemClock,
  };
  try {
    return [
      ...(await checkPermissions({ ...options, availabilityZone: "us-east-1a" })),
      ...(await checkEbsPermissions(options)),
    ];
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

test("each policy of docs/permissions.md allows what doctor asks for, and its table says so", async () => {
  const asked = await askedPermissions();
  const page = await readFile(PAGE, "utf8");
  const policies = [...page.matchAll(/^## A policy for (\S+)\n\n```json\n([^`]*)```/gm)];
  assert.deepEqual(
    policies.map(([, builder]) => builder),
    ["amazon-chroot", "amazon-direct"],
  );
  for (const [index, [, builder = "", text = ""]] of policies.entries()) {
    const needed = asked
      .filter(({ builders }) => builders.some((name) => name === builder))
      .map(({ action }) => action);
    const { Statement } = JSON.parse(text) as { Statement: { Action: string[] }[] };
    assert.deepEqual(Statement.flatMap(({ Action }) => Action).sort(), [...needed].sort(), builder);
    const rows = page.split("\n").filter((line) => /^\| `\w+:/.test(line));
    const marked = rows.filter((line) => line.split("|")[index + 2]?.trim() === "yes").join();
    assert.deepEqual(
      [...marked.matchAll(/`(\w+:\w+)`/g)].map(([, action]) => action).sort(),
      [...needed].sort(),
      builder,
    );
  }
});

test("docs/permissions.md tells what to write for the partition of its policies in China and in GovCloud", async () => {
  const page = await readFile(PAGE, "utf8");
  const resources = [...page.matchAll(/"Resource": "(arn:[^:]*:)/g)].map(([, start]) => start);
  assert.deepEqual([...new Set(resources)], ["arn:aws:"]);
  for (const start of ["arn:aws:", "arn:aws-cn:", "arn:aws-us-gov:"]) assert.ok(page.includes(`\`${start}\``), start);
});
