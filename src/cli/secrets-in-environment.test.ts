import assert from "node:assert/strict";
import { test } from "node:test";
import { secretsIn } from "./secrets-in-environment.ts";

test("secretsIn() finds AWS's credentials and the passwords of proxies", () => {
  const environment = {
    AWS_ACCESS_KEY_ID: "AKIAEXAMPLE",
    AWS_SECRET_ACCESS_KEY: "secret key",
    AWS_SESSION_TOKEN: "token",
    AWS_REGION: "us-east-1",
    https_proxy: "http://user:p%40ss@proxy:3128/",
    HTTP_PROXY: "other:100%@proxy:3128",
    no_proxy: "169.254.169.254,user:80",
    ftp_proxy: "http://proxy:3128/a:b@c",
    HOME: "/root",
  };
  assert.deepEqual(secretsIn(environment), ["AKIAEXAMPLE", "secret key", "token", "p%40ss", "p@ss", "100%"]);
});
