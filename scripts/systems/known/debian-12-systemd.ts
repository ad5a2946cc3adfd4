import type { System } from "../system.ts";

export const system: System = {
  about: "Debian 12, systemd",
  suite: "bookworm",
  architecture: "amd64",
  cpu: "max,-la57",
  systemd: true,
  tests: ["test/systems/service.ts", "test/systems/resources.ts"],
  afterwards: [],
};
