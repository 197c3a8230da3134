// Images whose links lead to the host, at every path that a build writes or reads. The host has files at those places.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { attack, importAttackImage, script } from "../helpers/attack-image.ts";
import { type HostFiles, watchHostFiles } from "../helpers/host-files.ts";
import { startTestCloud, type TestCloud } from "../helpers/test-cloud.ts";

let cloud: TestCloud;
let hostFiles: HostFiles;
/** On the host, and by links of the image. */
let victim: string;
let source: string;

const FILES = ["etc/resolv.conf", "opt/upload", "opt/source", "usr/sbin/policy-rc.d"];
const DIRECTORIES = ["proc", "sys", "dev", "tmp", "root", "opt/into"];

before(async () => {
  cloud = await startTestCloud();
  // Not below /tmp, which is one of the links.
  victim = await mkdtemp("/var/tmp/amibake-victim-");
  source = join(cloud.scratch, "source");
  for (const path of FILES) await writeAt(join(victim, path), "of the host\n");
  for (const path of DIRECTORIES) await writeAt(join(victim, path, "file"), "of the host\n");
  await writeAt(join(source, "deep/file"), "uploaded\n");
  hostFiles = await watchHostFiles();
});
after(async () => {
  await rm(victim, { recursive: true });
  assert.equal(await hostFiles.changes(), "");
  await cloud[Symbol.asyncDispose]();
});

async function writeAt(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

async function linkAt(path: string, target: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
  await mkdir(dirname(path), { recursive: true });
  await symlink(target, path);
}

async function victimContent(): Promise<string[]> {
  const entries = await readdir(victim, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(files.sort().map(async (file) => `${file} ${await readFile(file, "utf8")}`));
}

const plants: Record<string, (tree: string) => Promise<void>> = {
  "absolute links": async (tree) => {
    for (const path of [...FILES, ...DIRECTORIES]) await linkAt(join(tree, path), join(victim, path));
  },
  "links that climb": async (tree) => {
    for (const path of [...FILES, ...DIRECTORIES]) {
      await linkAt(join(tree, path), `${"../".repeat(30)}${join(victim, path).slice(1)}`);
    }
  },
  "chains of links": async (tree) => {
    for (const [index, path] of [...FILES, ...DIRECTORIES].entries()) {
      await linkAt(join(tree, path), `/links/${index}-first`);
      await linkAt(join(tree, `links/${index}-first`), `../../links/./${index}-second`);
      await linkAt(join(tree, `links/${index}-second`), `${index}-third`);
      await linkAt(join(tree, `links/${index}-third`), join(victim, path));
    }
  },
  "linked parent directories": async (tree) => {
    for (const path of ["etc", "opt", "usr/sbin", "tmp", "root", "proc", "sys", "dev"]) {
      await mkdir(join(tree, victim, dirname(path)), { recursive: true });
      await rename(join(tree, path), join(tree, victim, path));
      await symlink(join(victim, path), join(tree, path));
    }
  },
};

for (const [name, plant] of Object.entries(plants)) {
  test(`${name} lead to places inside the image, for every path of a build`, async () => {
    const imageId = await importAttackImage(cloud, async (tree) => {
      await writeFile(join(tree, "usr/bin/dpkg"), "");
      await plant(tree);
      await writeAt(join(tree, victim, "opt/source"), "of the image\n");
    });
    const before = await victimContent();
    const downloaded = join(cloud.scratch, "downloaded", name);
    const { failure } = await attack(cloud, { source_ami: imageId }, [
      { type: "file", content: "written", destination: "/opt/upload" },
      script(`grep -q written ${victim}/opt/upload`),
      { type: "file", source: join(source, "deep/file"), destination: "/opt/upload" },
      { type: "file", source: `${source}/`, destination: "/opt/into" },
      { type: "file", direction: "download", source: "/opt/source", destination: join(downloaded, "source") },
      { type: "file", direction: "download", source: "/opt/into/", destination: join(downloaded, "into") },
      script(
        `grep -q uploaded ${victim}/opt/upload`,
        `grep -q uploaded ${victim}/opt/into/deep/file`,
        'test -d "/proc/$$/fd" && test -c /dev/null && test -d /sys/kernel && touch "$HOME/was-here"',
        `test -e ${victim}/root/was-here && test -s /etc/resolv.conf`,
        "/usr/sbin/policy-rc.d && exit 1; test $? = 101",
      ),
    ]);
    assert.equal(failure, "");
    assert.equal(await readFile(join(downloaded, "source"), "utf8"), "of the image\n");
    assert.equal(await readFile(join(downloaded, "into/deep/file"), "utf8"), "uploaded\n");
    assert.deepEqual(await victimContent(), before);
  });
}

test("a dangling /etc/resolv.conf, as systemd-resolved makes it, is back after the build", async () => {
  const target = "../run/systemd/resolve/stub-resolv.conf";
  const imageId = await importAttackImage(cloud, (tree) => linkAt(join(tree, "etc/resolv.conf"), target));
  const first = await attack(cloud, { source_ami: imageId }, [script("test -s /etc/resolv.conf")]);
  const look = script("readlink /etc/resolv.conf", "ls -A /etc | grep -c amibake-saved || :");
  const second = await attack(cloud, { source_ami: first.imageId, copy_files: [] }, [look]);
  assert.deepEqual(second.output, [target, "0"], first.failure + second.failure);
});

test("a /tmp that is the host's /etc by name is the image's own", async () => {
  const imageId = await importAttackImage(cloud, (tree) => linkAt(join(tree, "tmp"), "/etc"));
  const { failure, output } = await attack(cloud, { source_ami: imageId }, [
    script("ls /etc | grep script_ >/dev/null && cat /etc/hostname"),
  ]);
  assert.deepEqual({ failure, output }, { failure: "", output: ["tiny"] });
});

test("a /bin/sh behind links runs; one that leads out of the image is a clear error", async () => {
  const chained = await importAttackImage(cloud, async (tree) => {
    await rename(join(tree, "usr/bin/sh"), join(tree, "opt/real-shell"));
    await linkAt(join(tree, "usr/bin/sh"), "/etc/alternatives/sh");
    await linkAt(join(tree, "etc/alternatives/sh"), "../../opt/real-shell");
  });
  assert.deepEqual((await attack(cloud, { source_ami: chained }, [script("echo ran")])).output, ["ran"]);
  const outside = await importAttackImage(cloud, (tree) => linkAt(join(tree, "usr/bin/sh"), join(victim, "sh")));
  await writeFile(join(victim, "sh"), "#!/bin/bash\necho escaped\n", { mode: 0o755 });
  const { failure, output } = await attack(cloud, { source_ami: outside }, [script("echo ran")]);
  assert.match(failure, /\/bin\/sh/);
  assert.doesNotMatch(output.join("\n"), /escaped/);
  await rm(join(victim, "sh"));
});

test("loops of links are clear errors, wherever a build meets them", async () => {
  const loops = ["tmp", "proc", "opt/upload", "opt/source", "opt/into", "etc/resolv.conf"];
  const imageId = await importAttackImage(cloud, async (tree) => {
    for (const path of loops) {
      await linkAt(join(tree, path), `/${path}-loop`);
      await linkAt(join(tree, `${path}-loop`), `/${path}`);
    }
  });
  const builder = { source_ami: imageId, chroot_mounts: [["bind", "/dev", "/dev"]] };
  const looped = /Cannot resolve "[^"]+" inside the image: too many levels of symbolic links/;
  assert.match((await attack(cloud, { source_ami: imageId })).failure, looped);
  const meets = [
    script("echo never"),
    { type: "file", content: "x", destination: "/opt/upload" },
    { type: "file", source: `${source}/`, destination: "/opt/into" },
    { type: "file", direction: "download", source: "/opt/source", destination: join(cloud.scratch, "never") },
  ];
  for (const provisioner of meets) assert.match((await attack(cloud, builder, [provisioner])).failure, looped);
  const first = await attack(cloud, builder, [{ ...script("test -s /etc/resolv.conf"), remote_folder: "/var/tmp" }]);
  const look = { ...script("readlink /etc/resolv.conf"), remote_folder: "/var/tmp" };
  const second = await attack(cloud, { ...builder, source_ami: first.imageId, copy_files: [] }, [look]);
  assert.deepEqual(second.output, ["/etc/resolv.conf-loop"], first.failure + second.failure);
});
