import { afterwards, core, staged } from "../core.ts";
import type { System } from "../system.ts";

export const system: System = {
  about: "Debian 13 on arm64",
  suite: "trixie",
  architecture: "arm64",
  cpu: "neoverse-n1",
  tests: core(...staged("files/aio-limit.test.ts", "images/image-vmas.test.ts")),
  afterwards,
};
