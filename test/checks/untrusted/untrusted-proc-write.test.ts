import { image } from "../../image/fixture.ts";
import { files, noOne, refused } from "./untrusted.ts";
import { expect, test } from "bun:test";

test("a file of the tree's own task in /proc is its own, one behind a link of that is not", () => {
  const file = (name: string) => {
    const reg = { id: 3, flags: 2, pos: 0n, fown: noOne, name, mode: 0o100644 };
    return {
      ...files({ type: 1, id: 3, reg }),
      "fdinfo-2.img": image("fdinfo-2.img", [{ id: 3, flags: 0, type: 1, fd: 3 }]),
    };
  };
  expect(refused(file("/proc/10/comm"))).toEqual([]);
  // Of a tree in a pid namespace of its own the number is a stranger's in this machine's /proc.
  const apart = {
    vm_id: 1,
    files_id: 2,
    fs_id: 3,
    sighand_id: 4,
    pid_ns_id: 11,
    net_ns_id: 2,
    mnt_ns_id: 6,
  };
  const elsewhere = { ...file("/proc/10/comm"), "ids-10.img": image("ids-10.img", [apart]) };
  expect(refused(elsewhere).map(([id]) => id)).toEqual(["untrusted-proc-write"]);
  for (const name of [
    "/proc/10/root/etc/shadow",
    "/proc/10/../sys/kernel/core_pattern",
    "/proc/1/mem",
    "/sys/power/state",
  ])
    expect([name, ...refused(file(name), [], ["/etc", "/proc", "/sys"])].slice(0, 2)).toEqual([
      name,
      [expect.stringMatching(/^untrusted-(proc-)?write$/), expect.anything()],
    ]);
});
