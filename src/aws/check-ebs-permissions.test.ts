import assert from "node:assert/strict";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { systemClock } from "../base/clock.ts";
import { NEVER } from "../base/never.ts";
import { checkEbsPermissions } from "./check-ebs-permissions.ts";

// The SDK reads it when a client is made.
process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";

type Answer = readonly [status: number, code: string, message: string];

/** What an EBS says that answers each request so, by action; and which requests it got. */
async function ask(answerTo: (path: string) => Answer) {
  const requests: string[] = [];
  const server = createServer(async (request: IncomingMessage, response) => {
    for await (const _chunk of request);
    const path = `${request.method} ${request.url?.split("?")[0]}`;
    requests.push(path);
    const [status, code, message] = answerTo(path);
    response.writeHead(status, { "x-amzn-errortype": code, "content-type": "application/json" });
    response.end(JSON.stringify({ Message: message }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const checks = await checkEbsPermissions({
      region: "us-east-1",
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      credentials: async () => ({ accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" }),
      signal: NEVER,
      clock: systemClock,
    });
    return { requests, checks };
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const NOT_FOUND: Answer = [404, "ResourceNotFoundException", "The snapshot does not exist."];
const NOT_ALLOWED: Answer = [
  403,
  "AccessDeniedException",
  "User: arn:aws:iam::1:user/u is not authorized to perform: ebs:X on resource: arn:aws:ec2:us-east-1::snapshot/s",
];

test("the permissions of the EBS direct APIs are told by a snapshot that does not exist, and nothing is started", async () => {
  const { requests, checks } = await ask(() => NOT_FOUND);
  const snapshot = "/snapshots/snap-00000000000000000";
  assert.deepEqual(requests, [
    `GET ${snapshot}/blocks`,
    `GET ${snapshot}/changedblocks`,
    `GET ${snapshot}/blocks/0`,
    `PUT ${snapshot}/blocks/0`,
    "POST /snapshots/completion/snap-00000000000000000",
  ]);
  const verdicts = checks.map(({ action, verdict }) => `${action} ${verdict}`);
  assert.deepEqual(verdicts, [
    "ebs:ListSnapshotBlocks allowed",
    "ebs:ListChangedBlocks allowed",
    "ebs:GetSnapshotBlock allowed",
    "ebs:PutSnapshotBlock allowed",
    "ebs:CompleteSnapshot allowed",
    "ebs:StartSnapshot unknown",
  ]);
  assert.ok(checks.every(({ builders }) => builders.join() === "amazon-direct"));
});

test("only a policy refuses: any other answer of EBS is neither a yes nor a no", async () => {
  const { checks } = await ask((path) => {
    if (path.startsWith("PUT")) return NOT_ALLOWED;
    if (path.startsWith("POST")) return [403, "AccessDeniedException", "The snapshot belongs to another account."];
    return [400, "ValidationException", "Invalid token"];
  });
  const verdicts = checks.map(({ verdict }) => verdict);
  assert.deepEqual(verdicts, ["unknown", "unknown", "unknown", "refused", "unknown", "unknown"]);
  assert.match(checks[3]?.detail ?? "", /not authorized to perform/);
});
