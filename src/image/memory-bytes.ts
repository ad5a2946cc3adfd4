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
  /** Pages of all contents before each. */
  #before: Float64Array | undefined;

  constructor(checkpoint: Checkpoint, pagemap: string) {
    this.#contents = checkpoint.contents(pagemap, false);
    this.#pageSize = checkpoint.pageSize;
  }

  /** Runs of pages that the images have, by address: its first byte, and how many. */
  *runs(): Iterable<{ from: number; bytes: number }> {
    for (const { page, pages } of this.#contents)
      yield { from: page * this.#pageSize, bytes: pages * this.#pageSize };
  }

  /** How many bytes the images have from one address to another; a mapping is not held against every run. */
  saved(from: number, to: number): number {
    return Math.max(0, this.#savedBelow(to) - this.#savedBelow(from));
  }

  #savedBelow(address: number): number {
    if (this.#before === undefined) {
      let sum = 0;
      this.#before = Float64Array.from(this.#contents, ({ pages }) => (sum += pages) - pages);
    }
    const at = this.#following(address / this.#pageSize) - 1;
    if (at < 0) return 0;
    const { page, pages } = this.#contents[at]!;
    const inside = Math.min(address - page * this.#pageSize, pages * this.#pageSize);
    return this.#before[at]! * this.#pageSize + inside;
  }

  /** `length` bytes from an address; undefined where not all of them are in the images, or are compressed there. */
  at(address: number, length: number): Buffer | undefined {
    const bytes = Buffer.alloc(length);
    return this.read(bytes, address) ? bytes : undefined;
  }

  /** Fills `into` with the bytes from an address; false as `at` is undefined. */
  read(into: Buffer, address: number): boolean {
    for (let got = 0; got < into.length;) {
      const piece = this.#piece(into, got, address + got);
      if (piece === 0) return false;
      got += piece;
    }
    return true;
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

  #contentOf(page: number): Content | undefined {
    const content = this.#contents[this.#following(page + 1) - 1];
    // Forged ones may begin inside a page.
    if (content === undefined || content.page > page) return undefined;
    return page < content.page + content.pages ? content : undefined;
  }

  /** The first that does not begin before a page: they lie in the order of their pages. */
  #following(page: number): number {
    let [low, high] = [0, this.#contents.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#contents[middle]!.page < page) low = middle + 1;
      else high = middle;
    }
    return low;
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
