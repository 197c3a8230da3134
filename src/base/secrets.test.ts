import assert from "node:assert/strict";
import { test } from "node:test";
import { Secrets } from "./secrets.ts";

const hide = (text: string, ...secrets: string[]) => new Secrets(secrets).hide(text);

test("a secret is hidden wherever it stands", () => {
  assert.equal(hide("a hunter2, b=s3cr3ts3cr3t", "hunter2", "s3cr3t"), "a <sensitive>, b=<sensitive><sensitive>");
});

test("of two secrets that begin alike the longer is hidden", () => {
  assert.equal(hide("password pass", "pass", "password"), "<sensitive> <sensitive>");
});

test("secrets are taken literally", () => {
  assert.equal(hide("abc a.c*+ accc", "a.c*+"), "abc <sensitive> accc");
});

test("a secret that is learned of later is hidden from then on", () => {
  const secrets = new Secrets(["hunter2"]);
  assert.equal(secrets.hide("hunter2 s3cr3t"), "<sensitive> s3cr3t");
  secrets.add("s3cr3t");
  assert.equal(secrets.hide("hunter2 s3cr3t"), "<sensitive> <sensitive>");
});

test("a secret is found as shells, JSON and URLs write it", () => {
  const secret = `it's "50%" of $a/b\\c`;
  for (const written of [
    `'it'\\''s "50%" of $a/b\\c'`,
    `'it'"'"'s "50%" of $a/b\\c'`,
    `"it's \\"50%\\" of \\$a/b\\\\c"`,
    JSON.stringify({ secret }),
    `https://example.org/?q=${encodeURIComponent(secret)}&x`,
    encodeURIComponent(secret).replaceAll("'", "%27"),
    `q=${encodeURIComponent(secret).replaceAll("%20", "+")}`,
    encodeURIComponent(secret).replaceAll("%2F", "%2f").replaceAll("%5C", "%5c"),
  ]) {
    const hidden = hide(written, secret);
    assert.match(hidden, /<sensitive>/, written);
    assert.doesNotMatch(hidden, /50/, written);
  }
});

/** The characters of base64 that have no bit of the secret. */
function charactersAround(encoded: string, before: string, secret: string): string[] {
  const text = encoded.replace(/=+$/, "");
  return [
    text.slice(0, Math.floor((before.length * 8) / 6)),
    text.slice(Math.ceil(((before.length + secret.length) * 8) / 6)),
  ];
}

test("no bit of a secret is left in base64, of whatever length it is", () => {
  for (let length = 4; length < 12; length++) {
    const secret = "?pLq~Z_5>xKv".slice(0, length);
    for (const before of ["", "a", "ab", "a?b>"]) {
      for (const after of ["", "z", "zz"]) {
        const encoded = Buffer.from(before + secret + after).toString("base64");
        const hidden = hide(encoded, secret).replace(/=+$/, "");
        assert.deepEqual(hidden.split("<sensitive>"), charactersAround(encoded, before, secret), encoded);
      }
    }
  }
});

test("a secret is found in base64, whatever stands before and after it, and over several lines", () => {
  const secret = "wJalrXUtnFEMI/K7MDENG?bPxRfiCYEXAMPLEKEY";
  for (const before of ["", "a", "ab", "abc", "user:"]) {
    for (const after of ["", "\n", "zz"]) {
      const encoded = Buffer.from(before + secret + after).toString("base64");
      const hidden = hide(encoded, secret);
      assert.match(hidden, /<sensitive>/, encoded);
      assert.deepEqual(hidden.replace(/=+$/, "").split("<sensitive>"), charactersAround(encoded, before, secret));
      const forUrls = Buffer.from(before + secret + after).toString("base64url");
      assert.deepEqual(hide(forUrls, secret).split("<sensitive>"), charactersAround(forUrls, before, secret));
    }
  }
  const long = "0123456789abcdef".repeat(20);
  const wrapped = (
    Buffer.from(long)
      .toString("base64")
      .match(/.{1,76}/g) ?? []
  ).join("\n");
  assert.match(hide(wrapped, long), /^(<sensitive>.?=*\n?)+$/);
});

test("each line of a secret that has several is hidden", () => {
  const key = "-----BEGIN KEY-----\r\nMIIEow==\n}";
  assert.equal(hide("  MIIEow==  }", key), "  <sensitive>  }");
  assert.equal(hide("-----BEGIN KEY-----", key), "<sensitive>");
  assert.equal(hide("echo hunter2", "hunter2\n"), "echo <sensitive>");
});

test("a secret of fewer than 4 characters is not hidden: it would be found inside other words", () => {
  assert.equal(hide("a '' b abc", "", "a", "abc"), "a '' b abc");
  assert.equal(hide("abcd", "abcd"), "<sensitive>");
});
