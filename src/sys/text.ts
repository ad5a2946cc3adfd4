/**
 * Bytes of the kernel (paths, names) as strings: where they are not UTF-8 they become lone surrogates U+DC80..DCFF, and
 * are written back as they were.
 */

/** Bytes that may not be changed, nor handed to what could change them; a copy (`Uint8Array.from`) may. */
export type Bytes = Omit<
  Uint8Array,
  "buffer" | "copyWithin" | "fill" | "reverse" | "set" | "sort" | "subarray" | number
> & { readonly [index: number]: number };

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes to a string that keeps every one of them. */
export function fromBytes(bytes: Bytes): string {
  const only = bytes as Uint8Array; // which is read here
  try {
    return utf8.decode(only);
  } catch {
    return escapeBytes(only);
  }
}

/** A byte that begins no UTF-8 becomes a lone surrogate; what lies between such bytes is decoded at once. */
function escapeBytes(bytes: Uint8Array): string {
  let text = "";
  let valid = 0;
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    if (length === 0) {
      if (at > valid) text += utf8.decode(bytes.subarray(valid, at));
      text += String.fromCharCode(0xdc00 + bytes[at]!);
      valid = at + 1;
    }
    at += length || 1;
  }
  return text + utf8.decode(bytes.subarray(valid));
}

/** Bytes of the well-formed sequence at `at` (The Unicode Standard, table 3-7); 0 when there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  const second = bytes[at + 1] ?? 0;
  const follows = (ahead: number) => ((bytes[at + ahead] ?? 0) & 0xc0) === 0x80;
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4 || !follows(1)) return 0;
  if (first < 0xe0) return 2;
  if (first === 0xe0 && second < 0xa0) return 0;
  if (first === 0xed && second > 0x9f) return 0;
  if (first < 0xf0) return follows(2) ? 3 : 0;
  if (first === 0xf0 && second < 0x90) return 0;
  if (first === 0xf4 && second > 0x8f) return 0;
  return follows(2) && follows(3) ? 4 : 0;
}

/** The reverse of `fromBytes`. */
export function toBytes(text: string): Uint8Array {
  if (!/[\udc80-\udcff]/u.test(text)) return Buffer.from(text);
  return Buffer.concat(
    [...text].map((char) => {
      const code = char.codePointAt(0)!;
      return code >= 0xdc80 && code <= 0xdcff ? Uint8Array.of(code - 0xdc00) : Buffer.from(char);
    }),
  );
}

/** A C string of the bytes of `text`; lone surrogates U+DC80..DCFF stand for bytes that are not UTF-8. */
export function cString(text: string): Uint8Array {
  const bytes = Buffer.alloc(Buffer.byteLength(text) + 1);
  if (!/[\udc80-\udcff]/.test(text)) {
    bytes.write(text);
    return bytes;
  }
  let end = 0;
  for (const char of text) {
    const code = char.codePointAt(0)!;
    if (code >= 0xdc80 && code <= 0xdcff) bytes[end++] = code - 0xdc00;
    else end += bytes.write(char, end);
  }
  return bytes.subarray(0, end + 1).fill(0, end);
}

/** A number of 64 bits for a text, where the text itself would be too much to remember. */
export const hashOf = (text: string): number | bigint => Bun.hash(text);
