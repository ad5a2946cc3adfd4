/** Cgroups of machines with other hierarchies than this one. */
import type { Host } from "../../../src/host/index.ts";
import { fixture, image } from "../../image/fixture.ts";

const thread = { futex_rla: 0n, futex_rla_len: 0 };

const perms = { mode: 0o644, uid: 0, gid: 0 };

interface Saved {
  controller: string;
  path: string;
  properties?: Record<string, string>;
  threaded?: boolean;
}

/** The fixture's tree in one cgroup; its second thread may be in another. */
export function inCgroup(
  { controller, path, properties = {}, threaded = false }: Saved,
  other?: string,
) {
  const set = (id: number, at: string) => ({ id, ctls: [{ name: controller, path: at }] });
  const dirs = [
    {
      dir_name: path.slice(1),
      properties: Object.entries(properties).map(([name, value]) => ({ name, value, perms })),
    },
  ];
  const cgroup = {
    sets: [set(2, path), ...(other === undefined ? [] : [set(3, other)])],
    controllers: [{ cnames: [controller], dirs, is_threaded: threaded }],
  };
  const core = (cg_set: number) => ({ mtype: 1, thread_core: { ...thread, cg_set } });
  const tc = { task_state: 1, exit_code: 0, personality: 0, flags: 0, blk_sigset: 0n, comm: "t" };
  return {
    ...fixture(),
    "cgroup.img": image("cgroup.img", [cgroup]),
    "core-10.img": image("core-10.img", [{ ...core(2), tc }]),
    "core-11.img": image("core-11.img", [core(other === undefined ? 2 : 3)]),
  };
}

/** A host with one hierarchy at /cg, these files and the directories that they are in. */
export function host(controller: string, files: Record<string, string>): Partial<Host> {
  const names = Object.keys(files);
  return {
    cgroupMounts: [
      { controllers: [controller], mountpoint: "/cg", root: "/", readOnly: false, device: "" },
    ],
    controllers: new Map([[controller, { hierarchy: 1, enabled: true }]]),
    read: (path) => (path === "/proc/filesystems" ? "nodev\tcgroup2\n" : files[path]),
    exists: (path) => names.some((name) => name === path || name.startsWith(`${path}/`)),
  };
}

export const cpuset = (extra: Record<string, string> = {}) =>
  host("cpuset", {
    "/cg/cgroup.sane_behavior": "0",
    "/cg/cpuset.cpus": "0-3\n",
    "/cg/cpuset.mems": "0\n",
    "/cg/cgroup.clone_children": "0\n",
    "/cg/a/cpuset.cpus": "0-1\n",
    "/cg/a/cpuset.mems": "0\n",
    "/cg/a/cgroup.clone_children": "0\n",
    "/cg/a/tasks": "",
    ...extra,
  });
