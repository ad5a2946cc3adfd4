/** CRIU's action script for arm64, run by Debian's emulator. */
import { join } from "node:path";
import { askingProgramTests } from "../sys/asking-program.ts";
import { systemRoot } from "./systems.ts";

askingProgramTests("arm64", [join(systemRoot("tools"), "usr/bin/qemu-aarch64-static")]);
