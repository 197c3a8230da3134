import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import * as z from "zod/mini";
import { BUILDERS, POST_PROCESSORS, PROVISIONERS } from "../../src/template/schema/components.ts";
import { fieldKinds } from "../../src/template/schema/fields.ts";
import { templateReference } from "./template-reference.ts";

test("docs/template.md says what the schemas say", async () => {
  const page = await readFile(new URL("../../docs/template.md", import.meta.url), "utf8");
  assert.equal(page, templateReference(), "Run node --import tsx scripts/generate-docs.ts");
});

test("every schema of the template can be told as JSON Schema", () => {
  for (const { type, schema } of [BUILDERS, PROVISIONERS, POST_PROCESSORS].flatMap((all) => Object.values(all))) {
    const json = z.toJSONSchema(schema, {
      io: "input",
      unrepresentable: "any",
      override({ zodSchema, jsonSchema }) {
        const kind = fieldKinds.get(zodSchema)?.kind;
        if (kind === "deferred" || kind === "duration") jsonSchema.type = "string";
        if (kind === "tags") jsonSchema.type = "object";
      },
    });
    for (const [key, property] of Object.entries(json.properties ?? {})) {
      assert.ok(typeof property === "object" && property.description !== undefined, `${type}: ${key}`);
    }
  }
});
