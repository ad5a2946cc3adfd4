import { afterwards, core, more } from "../core.ts";
import type { System } from "../system.ts";

export const system: System = {
  about: "Debian 13",
  suite: "trixie",
  architecture: "amd64",
  packages: ["apparmor", "musl"],
  cpu: "max,-la57",
  tests: [
    ...core,
    ...more,
    "test/systems/labels.ts",
    "test/systems/unprivileged.ts",
    "test/systems/musl.ts",
  ],
  afterwards,
};
