/** `npm run docs`: writes what is made from the code itself: the catalogue of the checks, docs/checks.md, docs/explain.md. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { catalogue } from "./catalogue.ts";

const root = join(import.meta.dir, "..");
writeFileSync(join(root, "src/checks/catalogue.ts"), catalogue());
// The page is made of the catalogue that was just written.
const { checksPage } = await import("../src/report/pages.ts");
writeFileSync(join(root, "docs/checks.md"), checksPage());
const { explainPage } = await import("./explained.ts");
writeFileSync(join(root, "docs/explain.md"), explainPage());
