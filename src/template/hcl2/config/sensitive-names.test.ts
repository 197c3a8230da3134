// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are HCL's templates, not ours
import assert from "node:assert/strict";
import { test } from "node:test";
import { BUILD, hclProblems, SOURCE } from "../../../../test/helpers/hcl-template.ts";

const LOCALS = `variable "secret" {
  default   = "topsecretvalue"
  sensitive = true
}
variable "pin" {
  default   = 48271
  sensitive = true
}
locals {
  made  = upper(var.secret)
  again = "\${local.made}!"
  shown = upper("eu-west-1")
}
`;

/** Expressions for a number, and how their problem ends. */
const MADE: readonly (readonly [expression: string, end: RegExp])[] = [
  ["upper(var.secret)", /must be a number, not "<sensitive>"$/],
  ["upper(var.secret) + 1", /left operand of "\+" must be a number, not "<sensitive>"$/],
  ["parseint(upper(var.secret), 10)", /Cannot call "parseint": .*<sensitive>/],
  ["local.again", /must be a number, not /],
  ["upper(local.made) * 2", /left operand of "\*" must be a number, not "<sensitive>"$/],
  ['"${strrev(local.made)}"', /must be a number, not "<sensitive>"$/],
  ["[for one in [var.secret] : upper(one) - 1][0]", /left operand of "-" must be a number, not "<sensitive>"$/],
  ['regex("(${upper(var.secret)}", "x")', /missing closing \): <sensitive>/],
  ['regex("(`${upper(var.secret)}", "x")', /missing closing \): <sensitive>/],
  ['{ a = { "${upper(var.secret)}" = 1 } }.a.x', /has no attribute .* \| It has "<sensitive>"$/],
  ["[1][var.pin * 2]", /There is no element <sensitive>/],
  // The name of a function is none of it, nor how many arguments it has.
  ["uper(var.secret)", /There is no function "uper" \| Did you mean "upper"\?$/],
  ["upper(var.secret, 1)", /"upper" needs 1 argument, not 2/],
  // What has nothing to do with it is told.
  ["local.shown", /must be a number, not "EU-WEST-1"$/],
  ["local.shown + 1", /left operand of "\+" must be a number, not "EU-WEST-1"$/],
];

for (const [expression, end] of MADE) {
  test(`a problem tells nothing that is made of a sensitive value: ${expression}`, async () => {
    const source = SOURCE.replace("}", `  root_volume_size = ${expression}\n}`);
    const problems = await hclProblems(LOCALS + source + BUILD);
    assert.equal(problems.length, 1, problems.join("\n"));
    assert.match(problems[0] ?? "", end);
    assert.doesNotMatch(problems[0] ?? "", /topsecret|eulavterces|96542/i);
  });
}
