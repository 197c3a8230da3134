// Packer's own `fix` is the judge of ours.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { runToExit } from "../../src/linux/run-command.ts";
import { fixTemplate } from "../../src/template/fix/fix-template.ts";

const BUILDERS: readonly object[] = [
  { ami_name: "web {{.CreateTime}} {{ .CreateTime}}-{{.CreateTimes}}", bundle_prefix: "{{\t.CreateTime }}" },
  { snapshot_name: "{{.CreateTime}}", ami_description: "{{.CreateTime}}", ami_users: ["{{.CreateTime}}"] },
  { ami_name: "{{user `a` | clean_ami_name}} <&> é", tags: { a: "{{clean_image_name `x`}}", b: "clean_ami_names" } },
  { ami_users: ["{{clean_ami_name}}"], chroot_mounts: [["clean_ami_name"]] },
  { enhanced_networking: true },
  { enhanced_networking: false, ena_support: true },
  { enhanced_networking: "true" },
  { ssh_private_ip: true },
  { ssh_private_ip: "f" },
  { ssh_private_ip: true, ssh_interface: "x" },
  { shutdown_behaviour: "stop" },
  { shutdown_behaviour: "stop", shutdown_behavior: "terminate" },
  { temporary_security_group_source_cidr: "10.0.0.0/8" },
  { temporary_security_group_source_cidr: 1 },
  { spot_price_auto_product: "Linux", type: "amazon-ebs" },
  { spot_price_auto_product: "Linux" },
  { ssh_key_path: "k" },
  { ssh_key_path: "k", ssh_private_key_file: "l" },
  { ssh_key_path: 1, ssh_private_key_file: "l" },
  { ssh_disable_agent: true },
  { ssh_disable_agent: "true" },
  { ssh_disable_agent: false, ssh_disable_agent_forwarding: true },
  { ssh_wait_timeout: "5m" },
  { ssh_wait_timeout: 5 },
  { ssh_wait_timeout: 5, ssh_timeout: "1m" },
  { enhanced_networking: true, shutdown_behaviour: "stop", type: "googlecompute" },
];

const TEMPLATE = {
  _comment: "{{.CreateTime}} clean_ami_name",
  variables: { a: "clean_ami_name", n: null },
  builders: BUILDERS.map((builder, index) => ({ type: "amazon-chroot", name: `b${index}`, ...builder })),
  provisioners: [
    { type: "ansible-local", playbook_file: "p", galaxycommand: "g" },
    { type: "ansible-local", playbook_file: "p", galaxycommand: "g", galaxy_command: "h" },
    { type: "ansible-local", playbook_file: "p", galaxycommand: 1 },
    { type: "shell", inline: ["clean_ami_name"], galaxycommand: "g" },
  ],
  "post-processors": [
    "manifest",
    { type: "manifest", filename: "m.json" },
    { type: "manifest", filename: "m.json", output: "n.json" },
    [{ type: "manifest", filename: "m.json" }, { type: "manifest", filename: 1 }, "checksum"],
    { type: "compress", filename: "c" },
  ],
};

test("fix rewrites a template as Packer does", async (context) => {
  const directory = await mkdtemp(join(tmpdir(), "amibake-packer-"));
  context.after(() => rm(directory, { recursive: true, force: true }));
  const source = JSON.stringify(TEMPLATE, undefined, 2);
  await writeFile(join(directory, "template.json"), source);
  let packer: string;
  try {
    const { stdout } = await runToExit(["packer", "fix", "-validate=false", "template.json"], {
      cwd: directory,
      env: { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: directory, CHECKPOINT_DISABLE: "1" },
    });
    packer = stdout.toString();
  } catch {
    context.skip("packer is not installed: apt-get install packer");
    return;
  }
  const { text, changes } = fixTemplate("template.json", source);
  assert.deepEqual(JSON.parse(text), JSON.parse(packer));
  assert.ok(changes.length > 20, `only ${changes.length} changes`);
});
