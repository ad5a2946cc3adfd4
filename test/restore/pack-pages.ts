/** Images framed by hand as CRIU 4.3 does it with `--compress`. The blocks hold no LZ4: no CRIU here has it, so none reads them. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { edit } from "./edit.ts";

const PAGE = 4096;
const BLOCK = 512;
const PE_PRESENT = 4;

/** Changes the images in place. */
export function packPages(images: string): void {
  for (const file of readdirSync(images).filter((name) => /^pagemap-.*\.img$/.test(name)))
    edit(images, file, ([{ pages_id }, ...entries]) => {
      const path = join(images, `pages-${pages_id}.img`);
      const pages = readFileSync(path);
      const kept: Buffer[] = [];
      let at = 0;
      for (const entry of entries.filter(({ flags }) => flags & PE_PRESENT)) {
        const count = Number(entry.nr_pages ?? entry.compat_nr_pages);
        const block_sizes = Array.from({ length: count }, () => BLOCK);
        for (const size of block_sizes) {
          kept.push(pages.subarray(at, at + size));
          at += PAGE;
        }
        const total_payload_size = BigInt(count * BLOCK);
        entry.blocks = { block_sizes, total_payload_size, pages_per_block: 1 };
      }
      writeFileSync(path, Buffer.concat(kept));
    });
  edit(images, "inventory.img", ([inventory]) =>
    Object.assign(inventory, { img_version: 3, compress: 1, compress_block_size: PAGE }),
  );
}
