import assert from "node:assert/strict";
import { test } from "node:test";
import { RequestSigner } from "./sign-request.ts";

// The expected signatures were made with @smithy/signature-v4 5.7.5.
const signer = new RequestSigner({ host: "ebs.eu-west-1.amazonaws.com", region: "eu-west-1", service: "ebs" });
const credentials = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  sessionToken: "a/b+c==",
};
const nowMs = Date.parse("2026-11-25T10:20:30Z");
const path = "/snapshots/snap-0f4/blocks/17";

test("a get is signed as AWS's own signer does, whatever stands in its query", () => {
  const query = { blockToken: "AAABAb+/= ~!*'()é" };
  const signed = signer.sign({ method: "GET", path, query, headers: {} }, credentials, nowMs);
  assert.equal(signed.pathAndQuery, `${path}?blockToken=AAABAb%2B%2F%3D%20~%21%2A%27%28%29%C3%A9`);
  assert.deepEqual(signed.headers, {
    host: "ebs.eu-west-1.amazonaws.com",
    "x-amz-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "x-amz-date": "20261125T102030Z",
    "x-amz-security-token": "a/b+c==",
    authorization:
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261125/eu-west-1/ebs/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature=2f090a96e2145dfbdbf7f3717e24b25d0cc93676c3434af1cf814618a4bd53fd",
  });
});

test("a put is signed with its checksum, also when another secret was used before", () => {
  const headers = {
    "content-type": "application/octet-stream",
    "x-amz-checksum": "B4VNL+8pega6gWheZgwzLeNtXRjVRpJ9MNqtbX/aFUE=",
    "x-amz-data-length": "524288",
  };
  const request = { method: "PUT", path, query: {}, headers } as const;
  const other = signer.sign(request, { ...credentials, secretAccessKey: "another" }, nowMs);
  const signed = signer.sign(request, credentials, nowMs);
  assert.notEqual(other.headers["authorization"], signed.headers["authorization"]);
  assert.equal(signed.pathAndQuery, path);
  assert.match(
    signed.headers["authorization"] ?? "",
    /SignedHeaders=content-type;host;x-amz-checksum;x-amz-content-sha256;x-amz-data-length;x-amz-date;x-amz-security-token, Signature=d1b2951c26a695f61c52c0b02554297140f88ad0d055990267a0cf66d9bc723c$/,
  );
});
