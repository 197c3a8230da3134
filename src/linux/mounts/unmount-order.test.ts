import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMountTable } from "./mount-table.ts";
import { unmountOrder } from "./unmount-order.ts";

/** Mounts as "id parent mountpoint". */
function orderOf(...mounts: string[]): string[] {
  const lines = mounts.map((mount) => {
    const [id, parent, mountpoint] = mount.split(" ");
    return `${id} ${parent} 0:1 / ${mountpoint} rw - tmpfs tmpfs rw\n`;
  });
  return unmountOrder(parseMountTable(lines.join(""))).map(({ mountId }) => String(mountId));
}

const cases: [name: string, mounts: string[], order: string[]][] = [
  ["the newest first", ["10 1 /m", "11 10 /m/proc", "12 10 /m/dev", "13 12 /m/dev/pts"], ["13", "12", "11", "10"]],
  ["a mount that was moved onto a newer one", ["10 1 /m", "11 12 /m/b/a", "12 10 /m/b"], ["11", "12", "10"]],
  ["a mount over the root, which hides the others", ["10 1 /m", "11 10 /m/proc", "12 10 /m"], ["12", "11", "10"]],
  ["an older mount that was moved over newer ones", ["10 1 /m", "11 10 /m/y", "12 10 /m/y/z"], ["11", "12", "10"]],
  ["a stack at one path", ["10 1 /m", "11 10 /m/a", "12 11 /m/a", "13 12 /m/a"], ["13", "12", "11", "10"]],
  ["like names", ["10 1 /m", "11 10 /m/a", "12 10 /m/ab"], ["12", "11", "10"]],
];
for (const [name, mounts, order] of cases) {
  test(`unmountOrder(): ${name}`, () => assert.deepEqual(orderOf(...mounts), order));
}

test("unmountOrder() takes a thousand mounts", () => {
  const mounts = Array.from({ length: 1000 }, (_, index) => `${100 + index} 10 /m/${index}`);
  const start = performance.now();
  assert.equal(orderOf("10 1 /m", ...mounts).at(-1), "10");
  assert.ok(performance.now() - start < 5000);
});
