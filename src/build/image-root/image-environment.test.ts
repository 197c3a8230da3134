import assert from "node:assert/strict";
import { test } from "node:test";
import { imageEnvironment } from "./image-environment.ts";

const HOST = {
  PATH: "/home/me/bin",
  HOME: "/home/me",
  TERM: "xterm-256color",
  LANG: "de_DE.UTF-8",
  AWS_ACCESS_KEY_ID: "AKIAEXAMPLE",
  AWS_SECRET_ACCESS_KEY: "secret",
  http_proxy: "http://proxy:3128",
  NO_PROXY: "169.254.169.254",
  CI_JOB_ID: "17",
  EMPTY: "",
};

test("imageEnvironment() has of the host the terminal type and the proxies only", () => {
  assert.deepEqual(imageEnvironment(HOST, []), {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: "/root",
    TERM: "xterm-256color",
    LANG: "C.UTF-8",
    LC_ALL: "C.UTF-8",
    http_proxy: "http://proxy:3128",
    NO_PROXY: "169.254.169.254",
  });
  assert.equal(imageEnvironment({}, [])["TERM"], "dumb");
});

test("imageEnvironment() passes what is asked for by name, keys too, and skips what the host does not set", () => {
  const environment = imageEnvironment(HOST, ["CI_JOB_ID", "EMPTY", "AWS_SECRET_ACCESS_KEY", "NOT_SET", "LANG"]);
  assert.equal(environment["CI_JOB_ID"], "17");
  assert.equal(environment["EMPTY"], "");
  assert.equal(environment["AWS_SECRET_ACCESS_KEY"], "secret");
  assert.equal(environment["LANG"], "de_DE.UTF-8");
  assert.ok(!("NOT_SET" in environment));
  assert.ok(!("AWS_ACCESS_KEY_ID" in environment));
});
