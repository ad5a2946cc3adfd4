/** Memory in the images: incremental chains, lazy pages, and page maps that do not fit the mappings (pagemap.c, mem.c). */
import { pageSize } from "../../sys/process.ts";

export const address = (page: number): string =>
  (BigInt(Math.floor(page)) * BigInt(pageSize())).toString(16);
