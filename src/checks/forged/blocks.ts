/** How compressed pages are laid out (CRIU 4.3): what a page map says of its blocks has to be one thing. */
import type { Checkpoint } from "../../image/index.ts";
import { pagemap_entry } from "../../image/tables/memory.ts";
import type { Forged } from "./walk.ts";

const PE_PRESENT = 4;
/** CRIU compresses no more at once, in bytes. */
const LARGEST = 4 << 20;

/** Of page maps without compressed pages nothing is asked. */
export function* forgedBlocks(checkpoint: Checkpoint): Generator<Forged> {
  const { pageSize } = checkpoint;
  for (const [file, { packed }] of checkpoint.pagemaps) {
    if (!packed) continue;
    for (const { vaddr, blocks, flags = 0, nr_pages, compat_nr_pages } of checkpoint.values(
      file,
      pagemap_entry,
    )) {
      if (blocks === undefined) continue;
      const told = (field: string, value: unknown, written: string): Forged => ({
        file,
        id: undefined,
        field: `pagemap_blocks.${field} at 0x${vaddr.toString(16)}`,
        value,
        rule: { written, acts: "reads other bytes than were looked at" },
      });
      const { block_sizes, pages_per_block: each, total_payload_size } = blocks;
      if ((flags & PE_PRESENT) === 0)
        yield told("block_sizes", block_sizes.length, "none for pages that are elsewhere");
      if (each < 1 || each * pageSize > LARGEST) {
        yield told("pages_per_block", each, "a block of 4 MiB at the most");
        continue;
      }
      const pages = Number(nr_pages ?? compat_nr_pages);
      const wanted = Math.ceil(pages / each);
      if (block_sizes.length !== wanted)
        yield told("block_sizes", block_sizes.length, `${wanted} blocks for ${pages} pages`);
      for (const [at, size] of block_sizes.entries()) {
        const whole = Math.min(each, pages - at * each) * pageSize;
        if (size > whole) {
          yield told("block_sizes", size, `as many bytes as the block has, ${whole}, or fewer`);
          break;
        }
      }
      const sum = block_sizes.reduce((bytes, size) => bytes + size, 0);
      if (total_payload_size !== BigInt(sum))
        yield told("total_payload_size", total_payload_size, `the sum of its blocks, ${sum}`);
    }
  }
}
