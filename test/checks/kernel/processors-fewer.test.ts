import { expect, test } from "bun:test";
import { processorsFewer } from "../../../src/checks/kernel/processors-fewer.ts";
import type { Machine } from "../../../src/image/index.ts";
import { fixture } from "../../image/fixture.ts";
import { sealedWith, withContext } from "../context.ts";

const online = "/sys/devices/system/cpu/online";

const found = (sealed: Partial<Machine> | undefined, files: Record<string, string>) => {
  const host = {
    read: (path: string) => files[path],
    exists: (path: string) => path in files,
    cgroupMounts: [
      {
        controllers: [""],
        mountpoint: "/sys/fs/cgroup",
        root: "/",
        readOnly: false as const,
        device: "0:1",
      },
    ],
  };
  const said = sealed && { host: { page_size: 4096, limits: {}, gpus: [], ...sealed } };
  return withContext(fixture(), { host, seal: sealedWith(said ?? {}) }, (context) =>
    [...processorsFewer.run(context)].map(({ severity, message }) => `${severity}: ${message}`),
  );
};

test("processors-fewer: those that are online, less the quota of the cgroups that the tree is in", () => {
  expect(found({ processors: 8 }, { [online]: "0-2,6\n" })).toEqual([
    "warning: the tree could use 8 processors where it was sealed; here it can use 4 processors",
  ]);
  expect(found({ processors: 4 }, { [online]: "0-2,6\n" })).toEqual([]);
  expect(found({ processors: 8, limits: { processors: 2 } }, { [online]: "0-2,6\n" })).toEqual([]);
  const own = { [online]: "0-15", "/proc/self/cgroup": "0::/a/b\n" };
  const limited = { ...own, "/sys/fs/cgroup/a/cpu.max": "150000 100000\n" };
  expect(found({ processors: 8 }, limited)).toEqual([
    "warning: the tree could use 8 processors where it was sealed; here it can use 1.5 processors",
  ]);
  expect(found({ processors: 8 }, { ...own, "/sys/fs/cgroup/a/cpu.max": "max 100000\n" })).toEqual(
    [],
  );
});

test("processors-fewer: what cannot be told is not compared", () => {
  expect(found({ processors: 8 }, {})).toEqual([]);
  expect(found({ processors: 8 }, { [online]: "strange" })).toEqual([]);
  expect(found({}, { [online]: "0" })).toEqual([]);
  expect(found(undefined, { [online]: "0" })).toEqual([]);
});
