/** Tests that every system runs: a few of each kind, as an emulated machine takes half a minute for one. */
export const core: readonly string[] = [
  "test/systems/reboot-before.ts",
  "test/systems/carried-out.ts",
  "test/systems/resources.ts",
  "test/systems/clocks.ts",
  "test/restore/tree.test.ts",
  "test/restore/cgroups/cgroup-missing.test.ts",
  "test/restore/files/fifo-missing.test.ts",
  "test/restore/sockets/tcp-close-needed.test.ts",
];
/** After the reboot. */
export const afterwards: readonly string[] = [
  "test/systems/reboot-after.ts",
  "test/systems/carried-in.ts",
];
