import assert from "node:assert/strict";
import { test } from "node:test";
import { describeUsage } from "./ebs-prices.ts";

const NONE = { getSnapshotBlock: 0, putSnapshotBlock: 0, list: 0, other: 0 };

test("requests are told with their price, which is said to leave out traffic", () => {
  // Whole 8 GiB: 16,384 blocks.
  assert.equal(
    describeUsage({ ...NONE, putSnapshotBlock: 16_384, other: 2 }),
    "16,384 puts: about $0.0983 for the requests, without traffic",
  );
  assert.equal(
    describeUsage({ getSnapshotBlock: 1204, putSnapshotBlock: 1, list: 1, other: 2 }),
    "1,204 gets, 1 put, 1 listing: about $0.0036 for the requests, without traffic",
  );
  assert.equal(
    describeUsage({ ...NONE, getSnapshotBlock: 1_000_000, list: 20 }),
    "1,000,000 gets, 20 listings: about $3.00 for the requests, without traffic",
  );
  assert.equal(describeUsage({ ...NONE, list: 2 }), "2 listings: less than $0.0001 for the requests, without traffic");
  assert.equal(describeUsage({ ...NONE, other: 2 }), "no requests that cost");
});
