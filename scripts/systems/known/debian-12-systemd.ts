import { asking, staged } from "../core.ts";
import type { System } from "../system.ts";

/** What the first process has a say in: cgroups, their delegation and limits, settings of the kernel, rights that it hands down, mounts that it shares. */
const tests = staged(
  "cgroups",
  "kernel/cgroup-memory-short.test.ts",
  "kernel/mmap-min-addr.test.ts",
  "rights/dumpable-lost.test.ts",
  "rights/loginuid-immutable.test.ts",
  "rights/rlimit-lowered.test.ts",
  "tree/oom-score-inherited.test.ts",
  "tree/pid-max.test.ts",
  "sockets/unix-socket-dir.test.ts",
  "mounts/mount-group.test.ts",
  "mounts/mount-of-host.test.ts",
  "mounts/mount-propagation.test.ts",
);

export const system: System = {
  about: "Debian 12, systemd",
  suite: "bookworm",
  architecture: "amd64",
  cpu: "max,-la57",
  systemd: true,
  tests: [
    "test/systems/service.ts",
    "test/systems/resources.ts",
    ...asking("host", "sys", "verify"),
    ...tests,
  ],
  afterwards: [],
};
