import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { scaledClock } from "../../test/helpers/scaled-clock.ts";
import { NEVER } from "../base/never.ts";
import { checkPermissions } from "./check-permissions.ts";

test("checkPermissions() does not wait for ever for an EC2 that never answers", async () => {
  const server = createServer((request) => request.resume());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const asking = checkPermissions({
      region: "us-east-1",
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      credentials: async () => ({ accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" }),
      availabilityZone: "us-east-1a",
      signal: NEVER,
      clock: scaledClock(200),
    });
    await assert.rejects(asking, {
      message: "Cannot DescribeImages: TimeoutError: EC2 gave no answer within 60.0 s",
    });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
