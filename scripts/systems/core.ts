/** Tests that every system runs: a few of each kind, as an emulated machine takes half a minute for one. */
export const core: readonly string[] = [
  "test/systems/reboot-before.ts",
  "test/systems/carried-out.ts",
  "test/systems/resources.ts",
  "test/systems/clocks.ts",
  "test/restore/tree.test.ts",
  "test/restore/tree/sched-reset-on-fork.test.ts",
  "test/restore/kernel/memfd-executable.test.ts",
];
