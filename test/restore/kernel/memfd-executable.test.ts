import { startDumped } from "../stage/dumped.ts";
import { blockers, finding } from "../report.ts";
import { criu, killTree, openStage, recriuBinary, run } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";

// Linux 6.3 was the first with the setting.
test.skipIf(!existsSync("/proc/sys/vm/memfd_noexec"))(
  "memfd-executable: vm.memfd_noexec of the pid namespace",
  async () => {
    await using stage = openStage();
    const { pid, images } = await startDumped(stage, "kernel", ["memfd"]);
    // The setting belongs to a pid namespace: in one of its own it changes nothing for others.
    const among = (value: number) => [
      "unshare",
      "--pid",
      "--fork",
      "--mount-proc",
      "sh",
      "-c",
      `echo ${value} >/proc/sys/vm/memfd_noexec; "$@"; exit $?`,
      "sh",
    ];
    const inside = (value: number, ...argv: string[]) => run(stage, [...among(value), ...argv]);
    const preflight = ["preflight", "-D", images, "--json", `--criu=${criu}`];
    const bare = [criu, "restore", "-d", "-D", images, "-W", stage.dir, "-o", "-", "-v4"];
    for (const value of [1, 2]) {
      const told = JSON.parse((await inside(value, recriuBinary, ...preflight)).stdout);
      expect(blockers(told)).toEqual(["memfd-executable"]);
      const failed = await inside(value, ...bare);
      expect(failed.exit).toBe(1);
      expect(failed.stdout).toContain(finding(told, "memfd-executable").criu_message!);
    }
    expect(blockers(JSON.parse((await inside(0, recriuBinary, ...preflight)).stdout))).toEqual([]);
    expect((await inside(0, ...bare)).exit).toBe(0);
    await killTree(stage, pid);
    const told = JSON.parse((await inside(1, recriuBinary, ...preflight)).stdout);
    const here = { under: among(1), thenRestore: true } as const;
    expect((await typed(stage, told, "memfd-executable", here)).exit).toBe(0);
  },
);
