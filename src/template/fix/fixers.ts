// What Packer's `fix` does, in its order, by the names that it prints.
import type { DraftObject, JsonDraft } from "../../base/json/json-draft.ts";

export interface Fixer {
  readonly name: string;
  /** What it rewrites; of one that is not for us, what it is for. */
  readonly summary: string;
  /** Missing for what is about builders, provisioners and post-processors that amibake does not have. */
  readonly fix?: (draft: JsonDraft) => void;
}

export const FIXERS: readonly Fixer[] = [
  notOurs("iso-md5", "builders that install from an ISO file"),
  {
    name: "createtime",
    summary: "`{{.CreateTime}}` in `ami_name`, `bundle_prefix` and `snapshot_name` becomes `{{timestamp}}`",
    fix: (draft) => builders(draft).forEach(fixCreateTime),
  },
  notOurs("virtualbox-gaattach", "VirtualBox"),
  notOurs("pp-vagrant-override", "the post-processor `vagrant`"),
  notOurs("virtualbox-rename", "VirtualBox"),
  notOurs("vmware-rename", "VMware"),
  notOurs("parallels-headless", "Parallels"),
  notOurs("parallels-deprecations", "Parallels"),
  {
    name: "sshkeypath",
    summary: "The builders' `ssh_key_path` becomes `ssh_private_key_file`, or goes if that is there",
    fix: renamed("ssh_key_path", "ssh_private_key_file", "string"),
  },
  {
    name: "sshdisableagent",
    summary: "The builders' `ssh_disable_agent` becomes `ssh_disable_agent_forwarding`, or goes if that is there",
    fix: renamed("ssh_disable_agent", "ssh_disable_agent_forwarding", "boolean"),
  },
  notOurs("scaleway-access-key", "Scaleway"),
  {
    name: "manifest-filename",
    summary: "`filename` of the post-processor `manifest` becomes `output`",
    fix(draft) {
      for (const manifest of draft.objectsIn("post-processors").filter(isOf("manifest"))) {
        if (typeof manifest.valueOf("filename") === "string") manifest.rename("filename", "output");
      }
    },
  },
  {
    name: "amazon-shutdown_behavior",
    summary: "`shutdown_behaviour` of Amazon's builders becomes `shutdown_behavior`",
    fix: (draft) => {
      for (const builder of amazonBuilders(draft)) builder.rename("shutdown_behaviour", "shutdown_behavior");
    },
  },
  {
    name: "amazon-enhanced-networking",
    summary: "`enhanced_networking` of Amazon's builders becomes `ena_support`",
    fix(draft) {
      for (const builder of amazonBuilders(draft)) {
        if (typeof builder.valueOf("enhanced_networking") === "boolean") {
          builder.rename("enhanced_networking", "ena_support");
        }
      }
    },
  },
  {
    name: "amazon-private-ip",
    summary: "`ssh_private_ip` of Amazon's builders becomes `ssh_interface`",
    fix: (draft) => amazonBuilders(draft).forEach(fixPrivateIp),
  },
  {
    name: "amazon-temp-sec-cidrs",
    summary: "`temporary_security_group_source_cidr` of Amazon's builders becomes a list, `…_cidrs`",
    fix(draft) {
      for (const builder of amazonBuilders(draft)) {
        const range = builder.valueOf("temporary_security_group_source_cidr");
        if (typeof range !== "string") continue;
        builder.rename("temporary_security_group_source_cidr", "temporary_security_group_source_cidrs", [range]);
      }
    },
  },
  notOurs("docker-email", "Docker"),
  notOurs("docker-tag-tags", "Docker"),
  notOurs("powershell-escapes", "the provisioner `powershell`"),
  notOurs("vmware-compaction", "VMware"),
  notOurs("hyperv-deprecations", "Hyper-V"),
  notOurs("hyperv-vmxc-typo", "Hyper-V"),
  notOurs("hyperv-cpu-and-ram", "Hyper-V"),
  {
    name: "clean-image-name",
    summary: "`clean_ami_name` and `clean_image_name` in builders become `clean_resource_name`",
    fix: (draft) => builders(draft).forEach(fixCleanName),
  },
  {
    name: "spot-price-auto-product",
    summary: "`spot_price_auto_product` of the builders that launch instances goes",
    fix(draft) {
      for (const builder of builders(draft).filter(isOf(...LAUNCHING_BUILDERS))) {
        builder.remove("spot_price_auto_product", "Packer finds it out by itself");
      }
    },
  },
  notOurs("qemu-disk-size", "QEMU"),
  {
    name: "galaxy-command",
    summary: "`galaxycommand` of the provisioner `ansible-local` becomes `galaxy_command`, or goes if that is there",
    fix(draft) {
      for (const ansible of draft.objectsIn("provisioners").filter(isOf("ansible-local"))) {
        renameUnlessTaken(ansible, "galaxycommand", "galaxy_command");
      }
    },
  },
  notOurs("comm-config", "VirtualBox"),
  {
    name: "ssh-wait-timeout",
    summary: "The builders' `ssh_wait_timeout` becomes `ssh_timeout`, or goes if that is there",
    fix: (draft) => {
      for (const builder of builders(draft)) renameUnlessTaken(builder, "ssh_wait_timeout", "ssh_timeout");
    },
  },
  notOurs("vsphere-iso-net-disk", "vSphere"),
  notOurs("iso-checksum-type-and-url", "builders that install from an ISO file"),
  notOurs("qemu-host-port", "QEMU"),
  notOurs("azure-exclude_from_latest", "Azure"),
  notOurs("proxmox-type", "Proxmox"),
];

const LAUNCHING_BUILDERS = ["amazon-ebs", "amazon-ebssurrogate", "amazon-ebsvolume", "amazon-instance"];

function notOurs(name: string, what: string): Fixer {
  return { name, summary: `Is about ${what}, which amibake does not have: left as it is` };
}

function amazonBuilders(draft: JsonDraft): DraftObject[] {
  return builders(draft).filter((builder) => String(builder.valueOf("type")).startsWith("amazon-"));
}

function builders(draft: JsonDraft): DraftObject[] {
  return draft.objectsIn("builders");
}

function isOf(...types: readonly string[]): (object: DraftObject) => boolean {
  return (object) => types.includes(String(object.valueOf("type")));
}

/** Of every builder where the key's value is of this type. */
function renamed(key: string, name: string, type: "string" | "boolean"): (draft: JsonDraft) => void {
  return (draft) => {
    const wrong = builders(draft).filter((builder) => typeof builder.valueOf(key) === type);
    for (const builder of wrong) {
      if (builder.has(name)) builder.remove(key, `"${name}" is there`);
      else builder.rename(key, name);
    }
  };
}

/** What is not a text stays, unless the new name is taken. */
function renameUnlessTaken(object: DraftObject, key: string, name: string): void {
  if (object.has(name)) object.remove(key, `"${name}" is there`);
  else if (typeof object.valueOf(key) === "string") object.rename(key, name);
}

function fixCreateTime(builder: DraftObject): void {
  for (const { path, text, replace } of builder.texts()) {
    if (!["ami_name", "bundle_prefix", "snapshot_name"].includes(path)) continue;
    const fixed = text.replace(/\{\{[\t\n\f\r ]*\.CreateTime[\t\n\f\r ]*\}\}/g, "{{timestamp}}");
    if (fixed !== text) replace(fixed);
  }
}

function fixCleanName(builder: DraftObject): void {
  for (const { text, replace } of builder.texts()) {
    const fixed = text.replace(/clean_(?:image|ami)_name/g, "clean_resource_name");
    if (fixed !== text) replace(fixed);
  }
}

function fixPrivateIp(builder: DraftObject): void {
  if (builder.has("ssh_interface")) return;
  const value = builder.valueOf("ssh_private_ip");
  const isPrivate = value === true || /^(?:1|t|T|true|TRUE|True)$/.test(String(value));
  if (!isPrivate && value !== false && !/^(?:0|f|F|false|FALSE|False)$/.test(String(value))) return;
  builder.rename("ssh_private_ip", "ssh_interface", isPrivate ? "private_ip" : "public_ip");
}
