import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { NEVER } from "../../base/never.ts";
import type { TemplatePlan } from "../build-plan.ts";
import { type FetchForeignValue, type ForeignRequest, readWithForeignValues } from "../foreign-values.ts";
import { type ReadTemplateOptions, readTemplate } from "../read-template.ts";
import { TemplateError } from "../template-error.ts";

const OPTIONS: ReadTemplateOptions = {
  variables: [],
  varFiles: [],
  only: [],
  except: [],
  environment: {},
  startTime: new Date("2026-11-23T09:22:15Z"),
};

async function write(context: TestContext, variables: Record<string, string>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "amibake-foreign-"));
  context.after(() => rm(directory, { recursive: true, force: true }));
  const builder = { type: "amazon-chroot", source_ami: "ami-1", ami_name: "web {{user `a`}} {{user `b`}}" };
  const path = join(directory, "template.json");
  await writeFile(path, JSON.stringify({ variables, builders: [builder] }));
  return path;
}

function readAsking(path: string, fetch: FetchForeignValue, options = OPTIONS): Promise<TemplatePlan> {
  return readWithForeignValues((foreignValues) => readTemplate(path, { ...options, foreignValues }), fetch, NEVER);
}

function answering(answers: Record<string, string>): { asked: ForeignRequest[]; fetch: FetchForeignValue } {
  const asked: ForeignRequest[] = [];
  return {
    asked,
    async fetch(request) {
      asked.push(request);
      const name = Object.values(request).join(" ");
      const answer = answers[name];
      if (answer === undefined) throw new Error(`nobody knows ${name}`);
      return answer;
    },
  };
}

test("variables ask Consul, Vault and Secrets Manager, each value once, and what one says can name the next", async (context) => {
  const path = await write(context, {
    a: "{{consul_key `app/path`}}-{{consul_key `app/path`}}",
    b: "{{vault (user `a`) `key`}}{{aws_secretsmanager `x`}}{{aws_secretsmanager `x` `y`}}{{aws_secretsmanager_raw `x`}}",
  });
  const { asked, fetch } = answering({
    "consul app/path": "p",
    "vault p-p key": "vault-secret",
    "secretsmanager x": "one-secret",
    "secretsmanager x y": "two-secret",
    "secretsmanager x true": "raw-secret",
  });
  const plan = await readAsking(path, fetch);
  assert.equal(plan.builds[0]?.config.ami_name.render({}), "web p-p vault-secretone-secrettwo-secretraw-secret");
  assert.deepEqual(asked, [
    { service: "consul", key: "app/path" },
    { service: "secretsmanager", secretId: "x" },
    { service: "secretsmanager", secretId: "x", key: "y" },
    { service: "secretsmanager", secretId: "x", isRaw: true },
    { service: "vault", path: "p-p", key: "key" },
  ]);
  // Consul keeps no secrets.
  assert.deepEqual([...plan.secrets].sort(), ["one-secret", "raw-secret", "two-secret", "vault-secret"]);
});

test("a service that does not answer is told at the place that asks, and only once", async (context) => {
  const path = await write(context, { a: "x {{vault `p` `k`}}", b: "{{user `a`}}" });
  const { fetch } = answering({});
  const reading = readAsking(path, fetch);
  await assert.rejects(reading, (error: unknown) => {
    assert.ok(error instanceof TemplateError);
    assert.deepEqual(
      error.problems.map(({ message, location }) => `${location?.column}: ${message}`),
      ['24: Cannot fetch a value from "vault": nobody knows vault p k'],
    );
    return true;
  });
});

test("nobody is asked where a template is only read", async (context) => {
  const path = await write(context, { a: "{{consul_key `k`}}", b: "" });
  await assert.rejects(readTemplate(path, OPTIONS), (error: unknown) => {
    assert.ok(error instanceof TemplateError);
    assert.equal(error.problems[0]?.message, 'Only "build" and "validate" ask "consul"');
    return true;
  });
});
