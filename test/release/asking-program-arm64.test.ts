/** CRIU's action script for arm64, assembled and run by Debian's tools. */
import { join } from "node:path";
import { askingProgramTests } from "../sys/asking-program.ts";
import { systemRoot, tool } from "./systems.ts";

askingProgramTests(
  "arm64",
  [join(systemRoot("tools"), "usr/bin/qemu-aarch64-static")],
  tool("usr/bin/aarch64-linux-gnu-as"),
);
