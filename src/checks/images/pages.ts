/** Memory in the images: incremental chains, lazy pages, and page maps that do not fit the mappings (pagemap.c, mem.c). */

/** Of a page, in hexadecimal. */
export const address = (page: number, pageSize: number): string =>
  (BigInt(Math.floor(page)) * BigInt(pageSize)).toString(16);
