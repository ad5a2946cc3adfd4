import { afterwards, core } from "../core.ts";
import type { System } from "../system.ts";

export const system: System = {
  about: "Debian 13",
  suite: "trixie",
  architecture: "amd64",
  packages: ["apparmor"],
  cpu: "max,-la57",
  tests: [...core, "test/systems/labels.ts", "test/systems/unprivileged.ts"],
  afterwards,
};
