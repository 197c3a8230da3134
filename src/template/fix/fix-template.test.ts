import assert from "node:assert/strict";
import { test } from "node:test";
import { TemplateError } from "../template-error.ts";
import { fixTemplate } from "./fix-template.ts";
import { FIXERS } from "./fixers.ts";

function fixed(template: unknown): { json: unknown; changes: string[] } {
  const { text, changes } = fixTemplate("t.json", JSON.stringify(template));
  return { json: JSON.parse(text), changes: changes.map(({ path, fixer }) => `${path} (${fixer})`) };
}

const CASES: readonly (readonly [what: string, builder: object, fixed: object, fixers: readonly string[]])[] = [
  ["CreateTime", { ami_name: "a{{ .CreateTime }}" }, { ami_name: "a{{timestamp}}" }, ["ami_name (createtime)"]],
  ["CreateTime elsewhere", { ami_description: "{{.CreateTime}}" }, { ami_description: "{{.CreateTime}}" }, []],
  [
    "enhanced networking",
    { enhanced_networking: true },
    { ena_support: true },
    ["enhanced_networking (amazon-enhanced-networking)"],
  ],
  ["enhanced networking as a text", { enhanced_networking: "true" }, { enhanced_networking: "true" }, []],
  [
    "a private address",
    { ssh_private_ip: false },
    { ssh_interface: "public_ip" },
    ["ssh_private_ip (amazon-private-ip)"],
  ],
  [
    "a private address beside an interface",
    { ssh_private_ip: true, ssh_interface: "x" },
    { ssh_private_ip: true, ssh_interface: "x" },
    [],
  ],
  ["a private address of a variable", { ssh_private_ip: "{{user `p`}}" }, { ssh_private_ip: "{{user `p`}}" }, []],
  [
    "a range",
    { temporary_security_group_source_cidr: "10.0.0.0/8" },
    { temporary_security_group_source_cidrs: ["10.0.0.0/8"] },
    ["temporary_security_group_source_cidr (amazon-temp-sec-cidrs)"],
  ],
  ["a key file", { ssh_key_path: "k" }, { ssh_private_key_file: "k" }, ["ssh_key_path (sshkeypath)"]],
  [
    "a key file that is given twice",
    { ssh_key_path: "k", ssh_private_key_file: "l" },
    { ssh_private_key_file: "l" },
    ["ssh_key_path (sshkeypath)"],
  ],
  ["a timeout", { ssh_wait_timeout: "5m" }, { ssh_timeout: "5m" }, ["ssh_wait_timeout (ssh-wait-timeout)"]],
  [
    "an agent",
    { ssh_disable_agent: true },
    { ssh_disable_agent_forwarding: true },
    ["ssh_disable_agent (sshdisableagent)"],
  ],
  [
    "names",
    { ami_name: "{{clean_ami_name `a`}}", tags: { n: "{{clean_image_name `b`}}" }, ami_users: ["{{clean_ami_name}}"] },
    {
      ami_name: "{{clean_resource_name `a`}}",
      tags: { n: "{{clean_resource_name `b`}}" },
      ami_users: ["{{clean_ami_name}}"],
    },
    ["ami_name (clean-image-name)", "tags.n (clean-image-name)"],
  ],
  [
    "British spelling",
    { shutdown_behaviour: "stop" },
    { shutdown_behavior: "stop" },
    ["shutdown_behaviour (amazon-shutdown_behavior)"],
  ],
  ["nothing", { ami_name: "a" }, { ami_name: "a" }, []],
];

for (const [what, builder, expected, fixers] of CASES) {
  test(`fixTemplate() mends ${what}`, () => {
    const { json, changes } = fixed({ builders: [{ type: "amazon-chroot", ...builder }] });
    assert.deepEqual(json, { builders: [{ type: "amazon-chroot", ...expected }] });
    assert.deepEqual(
      changes,
      fixers.map((fixer) => `builders[0].${fixer}`),
    );
  });
}

test("fixTemplate() takes the spot product only from builders that launch instances", () => {
  const key = { spot_price_auto_product: "Linux" };
  const { json } = fixed({
    builders: [
      { type: "amazon-ebs", ...key },
      { type: "amazon-chroot", ...key },
    ],
  });
  assert.deepEqual(json, { builders: [{ type: "amazon-ebs" }, { type: "amazon-chroot", ...key }] });
});

test("fixTemplate() mends provisioners and post-processors, also those in sequences", () => {
  const { json, changes } = fixed({
    provisioners: [
      { type: "ansible-local", galaxycommand: "g" },
      { type: "ansible-local", galaxycommand: "g", galaxy_command: "h" },
      { type: "shell", galaxycommand: "g" },
    ],
    "post-processors": ["manifest", [{ type: "manifest", filename: "m" }], { type: "checksum", filename: "c" }],
  });
  assert.deepEqual(json, {
    provisioners: [
      { type: "ansible-local", galaxy_command: "g" },
      { type: "ansible-local", galaxy_command: "h" },
      { type: "shell", galaxycommand: "g" },
    ],
    "post-processors": ["manifest", [{ type: "manifest", output: "m" }], { type: "checksum", filename: "c" }],
  });
  assert.deepEqual(changes, [
    "post-processors[1][0].filename (manifest-filename)",
    "provisioners[0].galaxycommand (galaxy-command)",
    "provisioners[1].galaxycommand (galaxy-command)",
  ]);
});

test("fixTemplate() keeps order, comments and layout", () => {
  const source = `{
  "_comment" : "keep me",
  "builders": [ { "enhanced_networking" : true, "type":"amazon-chroot",
      "ami_name": "\\u003c{{.CreateTime}}" } ]
}\n\n`;
  assert.equal(
    fixTemplate("t.json", source).text,
    source.replace("enhanced_networking", "ena_support").replace("\\u003c{{.CreateTime}}", "<{{timestamp}}"),
  );
});

test("fixTemplate() does not read what is not JSON, nor keys that are there twice", () => {
  for (const [source, message] of [
    ['{"builders": [}', /problem/],
    ['{"builders": [], "builders": []}', /problem/],
  ] as const) {
    assert.throws(
      () => fixTemplate("t.json", source),
      (error: unknown) => error instanceof TemplateError && message.test(error.message),
    );
  }
});

test("there is an answer to each of Packer's fixers", () => {
  assert.equal(FIXERS.length, 34);
  assert.equal(new Set(FIXERS.map(({ name }) => name)).size, 34);
});
