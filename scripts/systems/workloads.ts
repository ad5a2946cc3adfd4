/** Every program of test/workloads, with and without libraries, by CC into RECRIU_WORKLOADS; of names only these, with libraries. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { repository } from "../../test/built.ts";
import { compile } from "../../test/restore/stage/compile.ts";

const asked = process.argv.slice(2);
for (const name of asked) compile(name, false);
for (const file of asked.length > 0 ? [] : readdirSync(join(repository, "test/workloads"))) {
  if (!file.endsWith(".c")) continue;
  const name = file.slice(0, -2);
  compile(name, false);
  if (!["plugin", "old-vdso"].includes(name)) compile(name, true);
}
