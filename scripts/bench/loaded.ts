/**
 * A program that does all of a restore up to its first word: Bun starts, the code of a restore is there, nothing of it is run.
 * Called as criu, which has a front that waits, it is `criu restore`.
 */
import { version } from "../../src/report/version.ts";
import { front } from "../../src/sys/front.ts";
import { returnToWorkingDirectory } from "../../src/sys/working-directory.ts";

returnToWorkingDirectory();
if (process.argv0.endsWith("/criu")) {
  await import("../../src/dropin/index.ts");
  await import("../../src/criu/getopt.ts");
  await import("../../src/criu/beyond-table.ts");
  await import("../../src/dropin/restore.ts");
} else {
  await import("../../src/cli/restore.ts");
  await import("../../src/cli/restore-asked.ts");
}
// scripts/build wants to hear it.
if (process.argv.includes("--version")) console.log(`recriu ${version}`);
front?.end(0);
process.exit(0);
