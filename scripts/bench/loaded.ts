/** A program that does all of `recriu restore` up to its first word: Bun starts, the code of a restore is there, nothing of it is run. */
import { version } from "../../src/report/version.ts";
import { front } from "../../src/sys/front.ts";
import { returnToWorkingDirectory } from "../../src/sys/working-directory.ts";

returnToWorkingDirectory();
await import("../../src/cli/restore.ts");
await import("../../src/cli/restore-asked.ts");
// scripts/build wants to hear it.
if (process.argv.includes("--version")) console.log(`recriu ${version}`);
front?.end(0);
process.exit(0);
