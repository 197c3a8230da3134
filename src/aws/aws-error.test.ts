import assert from "node:assert/strict";
import { test } from "node:test";
import { AwsError } from "./aws-error.ts";

test("what a policy does not allow is told apart, in the hint, from a snapshot that is somebody else's", () => {
  const hintFor = (detail: string) =>
    new AwsError("StartSnapshot", "AccessDeniedException", detail, { reason: "UNAUTHORIZED_ACCOUNT" }).hint;
  assert.match(
    hintFor("User: arn:aws:iam::1:user/u is not authorized to perform: ebs:StartSnapshot") ?? "",
    /^Allow ebs:StartSnapshot, .* in the policy/,
  );
  assert.match(
    hintFor("The account is not authorized to access the snapshot 'snap-1'.") ?? "",
    /^The EBS direct APIs read/,
  );
});
