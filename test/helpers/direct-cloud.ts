import assert from "node:assert/strict";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { AsyncDisposableStack } from "../../src/base/async-disposable-stack.ts";
import { runCommand } from "../../src/linux/run-command.ts";
import { writeTemplate } from "./build-template.ts";
import { ROOT } from "./source-files.ts";
import { startTestCloud, type TestCloud } from "./test-cloud.ts";

export interface DirectCloud extends TestCloud {
  /** Builds on the base image, and asserts that it succeeds. */
  bake(
    builder: Readonly<Record<string, unknown>>,
    provisioners: readonly Readonly<Record<string, unknown>>[],
    options?: { /** With a block cache of its own. */ readonly isCold?: boolean },
  ): Promise<{ imageId: string; output: string }>;
}

/** A local cloud whose base image is a bootable Debian, which is made on first use. */
export async function startDirectCloud(): Promise<DirectCloud> {
  await using undo = new AsyncDisposableStack();
  const { PATH = "", HOME = "/root", XDG_CACHE_HOME } = process.env;
  const env = { PATH, HOME, ...(XDG_CACHE_HOME === undefined ? {} : { XDG_CACHE_HOME }) };
  const { stdout } = await runCommand([join(ROOT, "scripts/make-base-image")], { env });
  const cloud = undo.use(await startTestCloud({ disk: stdout.toString().trim() }));
  const sharedCache = await mkdtemp(join(cloud.scratch, "cache-"));
  const owned = undo.move();
  return {
    ...cloud,
    async bake(builder, provisioners, { isCold = false } = {}) {
      const cache = isCold ? await mkdtemp(join(cloud.scratch, "cold-")) : sharedCache;
      const template = await writeTemplate(cloud, builder, provisioners);
      const result = await cloud.amibake(["build", "-color=false", template], { env: { AMIBAKE_CACHE_DIR: cache } });
      const output = result.stdout + result.stderr;
      assert.equal(result.exitCode, 0, output);
      const [, imageId = ""] = /us-east-1: (ami-[0-9a-f]+)/.exec(output) ?? [];
      return { imageId, output };
    },
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}
