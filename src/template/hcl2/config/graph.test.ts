import assert from "node:assert/strict";
import { test } from "node:test";
import { orderGraph } from "./graph.ts";

/** `a: b c` is a node that uses two. */
function order(...lines: readonly string[]) {
  const nodes = lines.map((line) => {
    const [name = "", uses = ""] = line.split(":");
    return { name, uses: uses.split(" ").filter((used) => used !== "") };
  });
  const { levels, circles } = orderGraph(nodes);
  const shown = (groups: readonly (readonly { name: string }[])[]) =>
    groups.map((group) => group.map(({ name }) => name).join(" "));
  return { levels: shown(levels), circles: shown(circles) };
}

test("nodes come after what they use, those that can be together", () => {
  assert.deepEqual(order("d: b c", "b: a", "c: a", "a:", "e:"), { levels: ["a e", "b c", "d"], circles: [] });
});

test("a name that is used twice, or does not exist, counts once and not at all", () => {
  assert.deepEqual(order("b: a a nobody", "a:"), { levels: ["a", "b"], circles: [] });
});

test("circles are told once each; what uses one cannot be evaluated either", () => {
  assert.deepEqual(order("a: b", "b: c", "c: b", "d: d", "e: d", "f:"), { levels: ["f"], circles: ["b c", "d"] });
});

test("a long chain is no circle", () => {
  const { levels, circles } = order(...Array.from({ length: 20_000 }, (_, i) => `n${i}: n${i + 1}`));
  assert.equal(levels.length, 20_000);
  assert.deepEqual(circles, []);
});
