import assert from "node:assert/strict";
import { test } from "node:test";
import { addToManifest, type ManifestEntry } from "./manifest-file.ts";

const ENTRY: ManifestEntry = {
  name: "web",
  builder_type: "amazon-direct",
  build_time: 1,
  files: null,
  artifact_id: "us-east-1:ami-1",
  packer_run_uuid: "run-1",
  custom_data: null,
};

test("addToManifest() begins a file in Packer's form", () => {
  const text = `{
  "builds": [
    {
      "name": "web",
      "builder_type": "amazon-direct",
      "build_time": 1,
      "files": null,
      "artifact_id": "us-east-1:ami-1",
      "packer_run_uuid": "run-1",
      "custom_data": null
    }
  ],
  "last_run_uuid": "run-1"
}
`;
  for (const empty of [undefined, "", "\n", "{}", '{"builds": null}']) {
    assert.equal(addToManifest(empty, ENTRY, "m.json"), text, JSON.stringify(empty));
  }
});

test("addToManifest() keeps what is there, also what it does not know", () => {
  const before = { builds: [{ name: "old", later: [1] }], last_run_uuid: "run-0", by: "Packer 9" };
  const after: unknown = JSON.parse(addToManifest(JSON.stringify(before), ENTRY, "m.json"));
  assert.deepEqual(after, { builds: [{ name: "old", later: [1] }, ENTRY], last_run_uuid: "run-1", by: "Packer 9" });
});

test("addToManifest() gives each block a line, and changes no text that looks like one", () => {
  const blocks = [0, 3].map((index) => [index, index.toString(16).repeat(64)] as const);
  const block_manifests = [{ snapshot_id: "snap-1", size_bytes: 2 ** 30, block_size: 524_288, blocks }];
  const custom_data = { "[ 1,": `[ 1,\n  "${"0".repeat(64)}"\n ]` };
  const entry = { ...ENTRY, custom_data, block_manifests };
  const text = addToManifest(undefined, entry, "m.json");
  assert.match(text, /\n {12}\[0, "0{64}"\],\n {12}\[3, "3{64}"\]\n/);
  assert.deepEqual(JSON.parse(text), { builds: [entry], last_run_uuid: "run-1" });
  // Once more: what stands there is written anew.
  assert.deepEqual(JSON.parse(addToManifest(text, ENTRY, "m.json")).builds, [entry, ENTRY]);
});

const FOREIGN: readonly (readonly [text: string, reason: RegExp])[] = [
  ["<html>", /Unexpected token/],
  ['{"builds": [', /Unexpected end/],
  ["[]", /^it is no JSON object$/],
  ["null", /^it is no JSON object$/],
  ['{"builds": {}}', /^its "builds" is no list$/],
];

for (const [text, reason] of FOREIGN) {
  test(`addToManifest() does not write over ${JSON.stringify(text)}`, () => {
    assert.throws(
      () => addToManifest(text, ENTRY, "m.json"),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "ERR_MANIFEST");
        const [, told = ""] = /^Cannot add to the manifest "m.json": (.*)$/.exec(error.message) ?? [];
        assert.match(told, reason);
        return true;
      },
    );
  });
}
