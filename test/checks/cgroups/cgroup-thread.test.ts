import { cgroupThread } from "../../../src/checks/cgroups/cgroup-thread.ts";
import { withContext } from "../context.ts";
import { host, inCgroup } from "./cgroups.ts";
import { expect, test } from "bun:test";

test("cgroup-thread: a domain of its own takes no single thread", () => {
  const run = (type: string, other: string) =>
    withContext(
      inCgroup({ controller: "", path: "/a/b", threaded: true }, other),
      { host: host("", { "/cg/a/b/cgroup.type": "threaded", "/cg/a/c/cgroup.type": type }) },
      (context) => [...cgroupThread.run(context)],
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
