import assert from "node:assert/strict";
import { test } from "node:test";
import { daemonArguments, daemonSettings, differingFlags } from "./local-settings.ts";
import { localStoreDirectory } from "./local-store.ts";

test("localStoreDirectory() takes the flag, the variable, the XDG folder, the home folder, in this order", () => {
  const environment = { AMIBAKE_LOCAL_STORE: "/variable", XDG_DATA_HOME: "/xdg", HOME: "/home/me" };
  assert.equal(localStoreDirectory({ store: "/flag" }, environment), "/flag");
  assert.equal(localStoreDirectory({}, environment), "/variable");
  assert.equal(localStoreDirectory({}, { ...environment, AMIBAKE_LOCAL_STORE: "" }), "/xdg/amibake/local");
  assert.equal(
    localStoreDirectory({}, { XDG_DATA_HOME: "relative", HOME: "/home/me" }),
    "/home/me/.local/share/amibake/local",
  );
  assert.throws(() => localStoreDirectory({}, {}), { code: "ERR_USAGE", hint: "Say where: --store DIRECTORY" });
});

test("daemonSettings() reads the address of the metadata service, also of IPv6", () => {
  const imds = (text: string) => daemonSettings({ store: "/s", imds: text }, {}, false).imds;
  assert.deepEqual(imds("127.0.0.1:80"), { host: "127.0.0.1", port: 80 });
  assert.deepEqual(imds("[::1]:0"), { host: "::1", port: 0 });
  for (const text of ["80", "host:", "host:99999", ":80"]) assert.throws(() => imds(text), { code: "ERR_USAGE" });
});

test("daemonArguments() carry everything over", () => {
  const flags = {
    store: "/s",
    listen: "::1",
    port: 5,
    imds: "127.0.0.1:9",
    latency: "aws",
    seed: 3,
    nitro: true,
    blocks: "memory",
  } as const;
  assert.deepEqual(daemonArguments(daemonSettings(flags, {}, false)), [
    ...["--store", "/s", "--listen", "::1", "--port", "5", "--latency", "aws", "--seed", "3", "--blocks", "memory"],
    ...["--imds", "127.0.0.1:9", "--nitro"],
  ]);
});

test("differingFlags() names what was asked for and is not so, and nothing that was not asked for", () => {
  const running = daemonSettings({ store: "/s", port: 5, seed: 3, imds: "127.0.0.1:9" }, {}, false);
  assert.deepEqual(differingFlags({}, running), []);
  assert.deepEqual(
    differingFlags({ port: 0, seed: 3, imds: "127.0.0.1:9", listen: "127.0.0.1", blocks: "disk" }, running),
    [],
  );
  const other = { port: 6, latency: "aws", nitro: true, imds: "127.0.0.1:8", blocks: "memory" } as const;
  assert.deepEqual(differingFlags(other, running), [
    "--port 6",
    "--imds 127.0.0.1:8",
    "--latency aws",
    "--nitro",
    "--blocks memory",
  ]);
});
