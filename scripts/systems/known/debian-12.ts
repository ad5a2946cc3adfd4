import { afterwards, wide } from "../core.ts";
import type { System } from "../system.ts";

export const system: System = {
  about: "Debian 12",
  suite: "bookworm",
  architecture: "amd64",
  cpu: "max,-la57",
  tests: wide(),
  afterwards,
};
