/** Bytes of a task's memory, as the images have them: page data is read here, and nowhere else but to verify it. */
import { closeSync, readSync } from "node:fs";
import { openRegular } from "../sys/regular.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { Content } from "./contents.ts";

/** Reads one page map's memory; pages images stay open until it is disposed of. */
export class MemoryBytes implements Disposable {
  readonly #contents: readonly Content[];
  readonly #pageSize: number;
  readonly #images = new Map<string, number>();

  constructor(checkpoint: Checkpoint, pagemap: string) {
    this.#contents = checkpoint.contents(pagemap, false);
    this.#pageSize = checkpoint.pageSize;
  }

  /** Runs of pages that the images have, by address: its first byte, and how many. */
  get runs(): { from: number; bytes: number }[] {
    return this.#contents.map(({ page, pages }) => ({
      from: page * this.#pageSize,
      bytes: pages * this.#pageSize,
    }));
  }

  /** `length` bytes from an address; undefined where not all of them are in the images, or are compressed there. */
  at(address: number, length: number): Buffer | undefined {
    const bytes = Buffer.alloc(length);
    for (let got = 0; got < length;) {
      const piece = this.#piece(bytes, got, address + got);
      if (piece === 0) return undefined;
      got += piece;
    }
    return bytes;
  }

  #piece(into: Buffer, at: number, address: number): number {
    const page = Math.floor(address / this.#pageSize);
    const content = this.#contentOf(page);
    if (content === undefined || content.packed) return 0;
    const inside = address - content.page * this.#pageSize;
    const wanted = Math.min(into.length - at, content.pages * this.#pageSize - inside);
    try {
      return readSync(this.#image(content.file), into, at, wanted, content.offset + inside);
    } catch {
      return 0;
    }
  }

  /** They lie in the order of their pages. */
  #contentOf(page: number): Content | undefined {
    let [low, high] = [0, this.#contents.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const { page: first, pages } = this.#contents[middle]!;
      if (page < first) high = middle;
      else if (page >= first + pages) low = middle + 1;
      else return this.#contents[middle];
    }
    return undefined;
  }

  #image(file: string): number {
    let fd = this.#images.get(file);
    if (fd === undefined) {
      const opened = openRegular(file);
      this.#images.set(file, (fd = opened.ok ? opened.fd : -1));
    }
    return fd;
  }

  [Symbol.dispose](): void {
    for (const fd of this.#images.values()) if (fd >= 0) closeSync(fd);
  }
}
