/** CRIU itself: not there, too old for this kernel, without the rights it needs. */
import { join } from "node:path";

export const old = join(import.meta.dir, "../../.cache/criu/bookworm/criu");
