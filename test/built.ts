/** Where the tests find what they test. */
import { join } from "node:path";

/** The top of the repository. */
export const repository = join(import.meta.dir, "..");

/** The recriu under test (scripts/build). */
export const recriuBinary = join(repository, "dist/recriu");
