// The control groups that the cluster's pods live in: a folder of each hierarchy (cgroup v1), or of the one there is (v2).
import { access, mkdir, readdir, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const ROOT = '/sys/fs/cgroup';
/** Hierarchies that no kubelet uses for pods. */
const OTHERS = ['unified'];

/** All pods together are one group: without a weight of its own it counts as much as any single process outside of it. */
const WEIGHTS = { 'cpu.shares': '20480', 'cpu.weight': '2000' };

/** @param {string} name such as `/caricature-cluster` */
export async function createCgroups(name) {
  for (const hierarchy of await listHierarchies()) {
    await mkdir(path.join(hierarchy, name), { recursive: true });
    for (const [file, weight] of Object.entries(WEIGHTS)) {
      const place = path.join(hierarchy, name, file);
      if (await access(place).then(() => true, () => false)) await writeFile(place, weight);
    }
  }
}

/** Removes them; their processes may still be ending. */
export async function removeCgroups(name) {
  for (const hierarchy of await listHierarchies()) {
    for (let tries = 0; tries < 50 && !(await removeTree(path.join(hierarchy, name))); tries++) await sleep(100);
  }
}

async function listHierarchies() {
  if (await access(path.join(ROOT, 'cgroup.controllers')).then(() => true, () => false)) return [ROOT];
  return (await readdir(ROOT, { withFileTypes: true })).filter((entry) => entry.isDirectory() && !OTHERS.includes(entry.name)).map((entry) => path.join(ROOT, entry.name));
}

/** Only folders can be removed here, from the deepest up. Gives whether it is gone. */
async function removeTree(folder) {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
  if (!entries) return true;
  for (const entry of entries) if (entry.isDirectory()) await removeTree(path.join(folder, entry.name));
  return rmdir(folder).then(() => true, (error) => error.code === 'ENOENT');
}
