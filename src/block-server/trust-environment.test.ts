import assert from "node:assert/strict";
import { resolve } from "node:path";
import { test } from "node:test";
import { trustEnvironment } from "./trust-environment.ts";

test("what says whose certificates to trust is passed on, with paths that hold in another directory", () => {
  assert.deepEqual(
    trustEnvironment({
      NODE_EXTRA_CA_CERTS: "corporate.pem",
      SSL_CERT_FILE: "/etc/ssl/cert.pem",
      SSL_CERT_DIR: "/etc/ssl/certs:more",
      NODE_OPTIONS: "--inspect --use-openssl-ca --require ./evil.js",
      AWS_SECRET_ACCESS_KEY: "secret",
      AWS_USE_FIPS_ENDPOINT: "true",
      HTTPS_PROXY: "http://proxy:3128",
    }),
    {
      NODE_EXTRA_CA_CERTS: resolve("corporate.pem"),
      SSL_CERT_FILE: "/etc/ssl/cert.pem",
      SSL_CERT_DIR: `/etc/ssl/certs:${resolve("more")}`,
      NODE_OPTIONS: "--use-openssl-ca",
    },
  );
  assert.deepEqual(trustEnvironment({ SSL_CERT_FILE: "", NODE_OPTIONS: "--inspect" }), {});
});
