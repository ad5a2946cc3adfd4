/** Cgroups of machines with other hierarchies than this one. */
import { expect, test } from "bun:test";
import { cgroupProperty } from "../../src/checks/cgroups/cgroup-property.ts";
import { cgroupThread } from "../../src/checks/cgroups/cgroup-thread.ts";
import { cgroupMissing } from "../../src/checks/cgroups/cgroup-missing.ts";
import type { Host } from "../../src/host/index.ts";
import { fixture, image } from "../image/fixture.ts";
import { withContext } from "./context.ts";

const thread = { futex_rla: 0n, futex_rla_len: 0 };
const perms = { mode: 0o644, uid: 0, gid: 0 };

interface Saved {
  controller: string;
  path: string;
  properties?: Record<string, string>;
  threaded?: boolean;
}

/** The fixture's tree in one cgroup; its second thread may be in another. */
function inCgroup({ controller, path, properties = {}, threaded = false }: Saved, other?: string) {
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
function host(controller: string, files: Record<string, string>): Partial<Host> {
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

const cpuset = (extra: Record<string, string> = {}) =>
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

test("cgroup-property: processors that the parent has not", () => {
  const run = (cpus: string, path = "/a/b", more: Record<string, string> = {}) =>
    withContext(
      inCgroup({
        controller: "cpuset",
        path,
        properties: { "cpuset.cpus": cpus, "cpuset.mems": "0" },
      }),
      { host: cpuset(more) },
      (context) => cgroupProperty.run(context),
    );
  expect(run("0-1")).toEqual([]);
  expect(run("1,3")).toMatchObject([
    {
      severity: "blocker",
      subject: "/cg/a/b/cpuset.cpus",
      message: "/cg/a/b/cpuset.cpus cannot be written: it was 1,3, and /cg/a has 0-1",
      criu_message: "cg: Failed writing 1,3 to cpuset/a/b/cpuset.cpus",
      remedy: { option: "--manage-cgroups=ignore", automatic: false },
    },
  ]);
  // On the way to it CRIU makes a cpuset without any; in one that is there it writes nothing.
  expect(run("0-1", "/a/new/b")).toMatchObject([{ subject: "/cg/a/new/b/cpuset.cpus" }]);
  expect(run("1,3", "/a/b", { "/cg/a/b/cpuset.cpus": "0" })).toEqual([]);
});

test("cgroup-missing: a cpuset with nothing in it takes no task", () => {
  const run = (files: Record<string, string>, properties = {}) =>
    withContext(
      inCgroup({ controller: "cpuset", path: "/a/b", properties }),
      { host: cpuset(files) },
      (context) => cgroupMissing.run(context).filter(({ severity }) => severity === "blocker"),
    );
  const empty = run({ "/cg/a/b/cpuset.cpus": "\n", "/cg/a/b/cpuset.mems": "0\n" });
  expect(empty).toMatchObject([{ subject: "/cg/a/b" }]);
  expect(empty[0]!.message).toContain("has no cpuset.cpus");
  expect(run({ "/cg/a/b/cpuset.cpus": "0\n", "/cg/a/b/cpuset.mems": "0\n" })).toEqual([]);
  expect(run({}, { "cpuset.cpus": "0" })[0]!.message).toContain("will have no cpuset.mems");
});

test("cgroup-property: a controller that the parent in cgroup2 does not pass on", () => {
  const run = (passed: string) =>
    withContext(
      inCgroup({
        controller: "",
        path: "/a/b",
        properties: { "memory.max": "max", "cgroup.freeze": "0" },
      }),
      {
        host: host("", {
          "/cg/a/cgroup.subtree_control": passed,
          "/cg/a/cgroup.type": "domain",
        }),
      },
      (context) => cgroupProperty.run(context),
    );
  expect(run("cpu pids\n")).toMatchObject([
    {
      subject: "/cg/a/b/memory.max",
      criu_message: "cg: bad cgroup path: unified/a/b/memory.max: No such file or directory",
      remedy: { command: "mkdir -p /cg/a/b" },
    },
  ]);
  expect(run("cpu memory\n")).toEqual([]);
});

test("cgroup-thread: a domain of its own takes no single thread", () => {
  const run = (type: string, other: string) =>
    withContext(
      inCgroup({ controller: "", path: "/a/b", threaded: true }, other),
      { host: host("", { "/cg/a/b/cgroup.type": "threaded", "/cg/a/c/cgroup.type": type }) },
      (context) => cgroupThread.run(context),
    );
  expect(run("domain\n", "/a/c")).toMatchObject([
    {
      task: 10,
      image: "core-11.img",
      subject: "/cg/a/c",
      remedy: { command: "echo threaded > /cg/a/c/cgroup.type" },
    },
  ]);
  expect(run("threaded\n", "/a/c")).toEqual([]);
  expect(run("domain\n", "/a/b")).toEqual([]);
});
