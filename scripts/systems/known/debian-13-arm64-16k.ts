import type { System } from "../system.ts";

export const system: System = {
  about: "Debian 13 on arm64, pages of 16 KiB",
  suite: "trixie",
  architecture: "arm64",
  kernel: "linux-image-arm64-16k",
  cpu: "neoverse-n1",
  tests: ["test/systems/resources.ts", "test/restore/incident.test.ts"],
  afterwards: [],
};
