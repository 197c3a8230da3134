import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMountTable } from "../mounts/mount-table.ts";
import { findPidsCgroupV1, pidsCgroupsV2 } from "./process-limit.ts";

// As systemd, Docker and Kubernetes show them.
const HYBRID = parseMountTable(`30 23 0:26 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755
31 30 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate
37 30 0:33 / /sys/fs/cgroup/pids rw,nosuid shared:16 - cgroup cgroup rw,pids
38 30 0:34 / /sys/fs/cgroup/memory rw,nosuid shared:17 - cgroup cgroup rw,memory
`);
const UNIFIED = parseMountTable("35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n");
const CONTAINER = parseMountTable("37 30 0:33 /docker/abc /sys/fs/cgroup/pids ro,nosuid - cgroup cgroup rw,pids\n");

test("findPidsCgroupV1() is this process's own cgroup", () => {
  const own =
    "9:name=systemd:/\n8:pids:/user.slice/user-0.slice/session-1.scope\n4:memory:/user.slice\n0::/user.slice\n";
  assert.equal(findPidsCgroupV1(own, HYBRID), "/sys/fs/cgroup/pids/user.slice/user-0.slice/session-1.scope");
  assert.equal(findPidsCgroupV1("5:cpu,pids:/\n", HYBRID), "/sys/fs/cgroup/pids");
});

test("findPidsCgroupV1() starts at what a container sees of the hierarchy", () => {
  assert.equal(findPidsCgroupV1("8:pids:/docker/abc/job\n", CONTAINER), "/sys/fs/cgroup/pids/job");
  assert.equal(findPidsCgroupV1("8:pids:/docker/other\n", CONTAINER), undefined);
});

test("findPidsCgroupV1() finds nothing where pids are of version 2 or missing", () => {
  assert.equal(findPidsCgroupV1("0::/user.slice\n", UNIFIED), undefined);
  assert.equal(findPidsCgroupV1("8:pids:/\n", UNIFIED), undefined);
  assert.equal(findPidsCgroupV1("", []), undefined);
});

test("pidsCgroupsV2() goes from this process's cgroup to the root", () => {
  assert.deepEqual(pidsCgroupsV2("0::/user.slice/user-0.slice/session-1.scope\n", UNIFIED), [
    "/sys/fs/cgroup/user.slice/user-0.slice/session-1.scope",
    "/sys/fs/cgroup/user.slice/user-0.slice",
    "/sys/fs/cgroup/user.slice",
    "/sys/fs/cgroup",
  ]);
  assert.deepEqual(pidsCgroupsV2("0::/\n", UNIFIED), ["/sys/fs/cgroup"]);
  assert.deepEqual(pidsCgroupsV2("8:pids:/\n", HYBRID), []);
});
