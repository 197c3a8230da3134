import assert from "node:assert/strict";
import { test } from "node:test";
import { ToolError } from "../base/errors.ts";
import type { PostProcessorPlan } from "../template/build-plan.ts";
import { plainText } from "../template/deferred.ts";
import { manifestPostProcessorSchema } from "../template/schema/manifest-post-processor.ts";
import type { Artifact } from "./post-process-context.ts";
import type { PostProcessEvent } from "./post-process-events.ts";
import { runPostProcessors } from "./run-post-processors.ts";

function manifest(output: string, config: object = {}, name = "manifest"): PostProcessorPlan {
  return {
    type: "manifest",
    name,
    config: manifestPostProcessorSchema.parse({ output, ...config }),
    location: { file: "web.json", line: 7, column: 5 },
  };
}

/** Files in memory. Those whose name starts with "bad" cannot be written. */
function openBench({ artifact, signal }: { artifact?: Partial<Artifact>; signal?: AbortSignal } = {}) {
  const files = new Map<string, string>();
  const log: string[] = [];
  const events: PostProcessEvent[] = [];
  const context = {
    artifact: { id: "us-east-1:ami-1", files: [], ...artifact },
    variables: { SourceAMI: "ami-0" },
    buildName: "web",
    buildType: "amazon-direct",
    runId: "run-1",
    files: {
      async changeFile(path: string, change: (text: string | undefined) => string) {
        if (path.startsWith("bad")) throw new ToolError("ERR_TRANSFER", `"${path}" is a FIFO, not a regular file`);
        files.set(path, change(files.get(path)));
      },
    },
    clock: { now: () => 1_795_425_735_999, sleep: async () => {} },
    signal: signal ?? new AbortController().signal,
    emit: (event: PostProcessEvent) => void events.push(event),
    async runStep<T>(title: string, work: () => Promise<T>): Promise<T> {
      log.push(title);
      return work();
    },
  };
  const buildsIn = (path: string) => JSON.parse(files.get(path) ?? "").builds as Record<string, unknown>[];
  return {
    files,
    log,
    events,
    buildsIn,
    run: (sequences: PostProcessorPlan[][]) => runPostProcessors(sequences, context),
  };
}

test("a manifest tells of the build what Packer tells", async () => {
  const bench = openBench();
  const custom_data = { source: { source: "", needs: ["SourceAMI"], render: ({ SourceAMI = "" }) => SourceAMI } };
  await bench.run([[manifest("a"), manifest("a", { strip_time: true, custom_data }, "the other")]]);
  const plain = {
    name: "web",
    builder_type: "amazon-direct",
    build_time: 1_795_425_735,
    files: null,
    artifact_id: "us-east-1:ami-1",
    packer_run_uuid: "run-1",
    custom_data: null,
  };
  const { build_time: _time, ...withoutTime } = plain;
  assert.deepEqual(bench.buildsIn("a"), [plain, { ...withoutTime, custom_data: { source: "ami-0" } }]);
  assert.deepEqual(bench.log, ["manifest: a", 'manifest "the other": a']);
  assert.deepEqual(bench.events[0], { type: "message", text: "us-east-1:ami-1 is in a" });
});

test("a manifest holds the blocks of snapshots whose blocks the builder knows", async () => {
  const hash = "ab".repeat(32);
  const readBlockManifests = async () => [
    { snapshotId: "snap-1", sizeBytes: 2 ** 30, blockSizeBytes: 524_288, blocks: [{ blockIndex: 5, hash }] },
  ];
  const bench = openBench({ artifact: { readBlockManifests } });
  await bench.run([[manifest("a")]]);
  assert.deepEqual(bench.buildsIn("a")[0]?.["block_manifests"], [
    { snapshot_id: "snap-1", size_bytes: 2 ** 30, block_size: 524_288, blocks: [[5, hash]] },
  ]);
});

test("a manifest lists files with their sizes, and without their directories where that is asked for", async () => {
  const bench = openBench({ artifact: { files: [import.meta.filename] } });
  await bench.run([[manifest("a"), manifest("a", { strip_path: true })]]);
  const [whole, stripped] = bench.buildsIn("a").map(({ files }) => files as { name: string; size: number }[]);
  assert.equal(whole?.[0]?.name, import.meta.filename);
  assert.equal(stripped?.[0]?.name, "run-post-processors.test.ts");
  assert.ok(Number(stripped?.[0]?.size) > 1000);
});

test("a failure ends its sequence, not the others, and tells that the image stays", async () => {
  const bench = openBench();
  const sequences = [[manifest("bad 1"), manifest("a")], [manifest("bad 2")], [manifest("b")]];
  await assert.rejects(bench.run(sequences), (error: unknown) => {
    assert.ok(error instanceof ToolError);
    assert.equal(error.code, "ERR_POST_PROCESSOR_FAILED");
    assert.equal(error.fault, "build");
    assert.equal(error.message, 'Cannot post-process with "manifest: bad 1" of web.json:7:5');
    assert.equal(error.hint, "The image is complete all the same, and stays: us-east-1:ami-1");
    assert.match(String(error.cause), /"bad 1" is a FIFO/);
    return true;
  });
  assert.deepEqual([...bench.files.keys()], ["b"]);
  assert.deepEqual(bench.events.slice(0, 1), [
    {
      type: "warning",
      text: 'Cannot post-process with "manifest: bad 2" of web.json:7:5: "bad 2" is a FIFO, not a regular file',
    },
  ]);
});

test("an interruption is told as such, and nothing runs after it", async () => {
  const interruption = new AbortController();
  const render = () => {
    interruption.abort(new Error("Ctrl-C"));
    throw new Error("whatever came of it");
  };
  const bench = openBench({ signal: interruption.signal });
  const custom_data = { x: { ...plainText("x"), render } };
  await assert.rejects(bench.run([[manifest("a", { custom_data })], [manifest("b")]]), /^Error: Ctrl-C$/);
  assert.deepEqual([...bench.files.keys()], []);
  assert.deepEqual(bench.log, ["manifest: a"]);
});
