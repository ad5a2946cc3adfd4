import { promisify } from "node:util";
import { gzip } from "node:zlib";

/** The same bytes for the same bytes: without a name and a time. Several at once use several CPUs. */
export const gzipped: (data: Uint8Array) => Promise<Buffer> = promisify(gzip);
