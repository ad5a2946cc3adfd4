/** CRIU's action script on this machine. */
import { askingProgramTests } from "./asking-program.ts";

askingProgramTests("x64", [], ["as"]);
