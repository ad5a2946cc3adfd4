import { cgroupMissing } from "../../../src/checks/cgroups/cgroup-missing.ts";
import { withContext } from "../context.ts";
import { cpuset, inCgroup } from "./cgroups.ts";
import { expect, test } from "bun:test";

test("cgroup-missing: a cpuset with nothing in it takes no task", () => {
  const run = (files: Record<string, string>, properties = {}) =>
    withContext(
      inCgroup({ controller: "cpuset", path: "/a/b", properties }),
      { host: cpuset(files) },
      (context) => [...cgroupMissing.run(context)].filter(({ severity }) => severity === "blocker"),
    );
  const empty = run({ "/cg/a/b/cpuset.cpus": "\n", "/cg/a/b/cpuset.mems": "0\n" });
  expect(empty).toMatchObject([{ subject: "/cg/a/b" }]);
  expect(empty[0]!.message).toContain("has no cpuset.cpus");
  expect(run({ "/cg/a/b/cpuset.cpus": "0\n", "/cg/a/b/cpuset.mems": "0\n" })).toEqual([]);
  expect(run({}, { "cpuset.cpus": "0" })[0]!.message).toContain("will have no cpuset.mems");
});
