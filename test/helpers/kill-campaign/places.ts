import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "../../../src/linux/run-command.ts";
import { MIB } from "../disk-store.ts";
import type { World } from "./attempt.ts";
import { contentOfFile } from "./view.ts";

/** What is imported. */
export async function makeFiles(scratch: string): Promise<World["files"]> {
  const disk = join(scratch, "disk.raw");
  await runCommand(["mke2fs", "-q", "-t", "ext4", disk, "12M"]);
  const tree = join(scratch, "tree");
  for (const name of ["etc", "usr/bin"]) await mkdir(join(tree, name), { recursive: true });
  await writeFile(join(tree, "etc/hostname"), "killed\n");
  await writeFile(join(tree, "usr/bin/filler"), Buffer.alloc(4 * MIB, "filler"));
  const tarball = join(scratch, "root.tar");
  await runCommand(["tar", "--create", "--file", tarball, "--directory", tree, "etc", "usr"]);
  await rm(tree, { recursive: true });
  return { disk, diskContent: await contentOfFile(disk), tarball };
}

/** Device names that nobody on this host has, from a place of our own on. The tests of the daemon have the /dev/xvdd? */
export async function freeDevices(): Promise<string[]> {
  const letters = [..."abcdefghijklmnopqrstuvwxyz"];
  const names = ["b", "c"].flatMap((first) => letters.map((second) => `xvd${first}${second}`));
  const taken = new Set(await readdir("/dev"));
  const start = process.pid % names.length;
  const free = [...names.slice(start), ...names.slice(0, start)].filter((name) => !taken.has(name));
  return free.slice(0, 8).map((name) => `/dev/${name}`);
}
