/**
 * How much memory the values of images may take: a message of two bytes takes hundreds, and forged images can have any
 * number of them. One room for a whole checkpoint, which grows with what is read.
 */

/** Bytes that any checkpoint may take, and for each byte of its images; real ones take half of that. */
const ANY = 64 << 20;
const EACH = 8;

/** Bytes that values take, as measured in JavaScriptCore; the bytes of a text or an array come on top. */
export const takes = {
  entry: 112,
  message: 144,
  field: 24,
  /** On top of that one of a list, which is copied as it grows. */
  item: 24,
  list: 32,
  bigint: 32,
  text: 48,
  bytes: 128,
  unknown: 256,
} as const;

export class Room {
  #left = ANY;
  #more: (() => number) | undefined;

  /** `more`: bytes of the files that are not read here (page data), asked for when there is no room otherwise. */
  constructor(more?: () => number) {
    this.#more = more;
  }

  /** An image of `bytes` is about to be read. */
  grow(bytes: number): void {
    this.#left += EACH * bytes;
  }

  /** Take room; false where there is none left. */
  take(bytes: number): boolean {
    this.#left -= bytes;
    if (this.#left < 0 && this.#more !== undefined) {
      this.grow(this.#more());
      this.#more = undefined;
    }
    return this.#left >= 0;
  }
}
