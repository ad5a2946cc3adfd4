import { afterwards, wide } from "../core.ts";
import type { System } from "../system.ts";

export const system: System = {
  about: "Debian 13",
  suite: "trixie",
  architecture: "amd64",
  packages: ["apparmor", "musl", "runc", "crun", "libcriu2"],
  cpu: "max,-la57",
  tests: wide(
    "test/systems/labels.ts",
    "test/systems/unprivileged.ts",
    "test/systems/musl.ts",
    // runc and crun.
    "test/restore/oci.test.ts",
  ),
  afterwards,
};
