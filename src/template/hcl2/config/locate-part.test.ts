import assert from "node:assert/strict";
import { test } from "node:test";
import { BUILD, hclProblems, SOURCE } from "../../../../test/helpers/hcl-template.ts";

const VARIABLES = `variable "l" { type = list(string) }
variable "o" {
  type    = object({ a = number, b = list(string) })
  default = { a = 1, b = ["x", {}] }
}
`;

test("a value that does not fit is shown where the part of it stands that is wrong", async () => {
  const files = {
    "t.pkr.hcl": VARIABLES + SOURCE + BUILD,
    "v.pkrvars.json": '{"l": ["a", 5, {"x": 1}]}',
    "v.pkrvars.hcl": 'l = ["a", 5,\n  {}]\no = ({ a = 1, "b" = ["a", {}] })\n',
  };
  const problems = await hclProblems(files, { varFiles: ["v.pkrvars.json", "v.pkrvars.hcl"] });
  assert.deepEqual(problems, [
    't.pkr.hcl:4:32 "default": .b[1] must be a string, not an object',
    'v.pkrvars.hcl:2:3 The variable "l": [2] must be a string, not an object',
    'v.pkrvars.hcl:3:27 The variable "o": .b[1] must be a string, not an object',
    'v.pkrvars.json:1:16 The variable "l": [2] must be a string, not an object',
  ]);
});
