import { cgroupProperty } from "../../../src/checks/cgroups/cgroup-property.ts";
import { withContext } from "../context.ts";
import { cpuset, host, inCgroup } from "./cgroups.ts";
import { expect, test } from "bun:test";

test("cgroup-property: processors that the parent has not", () => {
  const run = (cpus: string, path = "/a/b", more: Record<string, string> = {}) =>
    withContext(
      inCgroup({
        controller: "cpuset",
        path,
        properties: { "cpuset.cpus": cpus, "cpuset.mems": "0" },
      }),
      { host: cpuset(more) },
      (context) => [...cgroupProperty.run(context)],
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
      (context) => [...cgroupProperty.run(context)],
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
