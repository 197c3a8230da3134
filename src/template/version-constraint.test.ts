import assert from "node:assert/strict";
import { test } from "node:test";
import { ConstraintError, fitsConstraint } from "./version-constraint.ts";

for (const [version, constraint, fits] of [
  ["1.16.0", ">= 1.7.0", true],
  ["1.16.0", ">=1.7.0, < 2.0.0", true],
  ["1.16.0", ">= 1.7.0, < 1.16", false],
  ["1.16.0", "~> 1.7", true],
  ["1.16.0", "~> 1.16.0", true],
  ["1.16.4", "~> 1.16.2", true],
  ["1.17.0", "~> 1.16.2", false],
  ["2.0.0", "~> 1.7", false],
  ["2.0.0", "~> 1", true],
  ["1.16.0", "1.16", true],
  ["1.16.0", "= 1.16.0", true],
  ["1.16.0", "!= 1.16.0", false],
  ["1.16.0", "v1.16.0", true],
  ["1.16.0", ">= 1.16.0-beta1", true],
  ["1.16.0", "> 1.16.0", false],
  ["1.16.0", "<= 1.16.0", true],
  ["1.16.0", ">= 1.16.0.1", false],
  ["1.16.0", "~> 1.16.0-beta1", false],
] as const) {
  test(`version ${version} ${fits ? "fits" : "does not fit"} ${constraint}`, () => {
    assert.equal(fitsConstraint(version, constraint), fits);
  });
}

for (const constraint of ["", ">> 1", "1.x", ">= 1.0,", "latest", "1 . 2"]) {
  test(`"${constraint}" is no constraint`, () => {
    assert.throws(() => fitsConstraint("1.0.0", constraint), ConstraintError);
  });
}
