/** `npm run docs`: writes what is generated in docs/ from the code itself. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { checksPage } from "../src/report/pages.ts";

writeFileSync(join(import.meta.dir, "../docs/checks.md"), checksPage());
