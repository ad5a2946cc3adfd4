import { afterwards, wide } from "../core.ts";
import type { System } from "../system.ts";

export const system: System = {
  about: "Debian 13",
  suite: "trixie",
  architecture: "amd64",
  packages: ["apparmor", "musl"],
  cpu: "max,-la57",
  tests: wide("test/systems/labels.ts", "test/systems/unprivileged.ts", "test/systems/musl.ts"),
  afterwards,
};
