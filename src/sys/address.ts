/** Addresses of IP as people write them (inet(3)). */

/** 4 or 16 bytes; undefined: it is none. Of IPv6 without a zone. */
export function addressOf(text: string): Uint8Array | undefined {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) {
    const numbers = text.split(".").map(Number);
    return numbers.every((each) => each < 256) ? Uint8Array.from(numbers) : undefined;
  }
  if (!/^[0-9a-fA-F:.]+$/.test(text) || !URL.canParse(`http://[${text}]/`)) return undefined;
  // A URL's host is written in the short form, in numbers of 16 bits.
  const [before = "", after] = new URL(`http://[${text}]/`).hostname.slice(1, -1).split("::");
  const words = (part: string) => (part === "" ? [] : part.split(":"));
  const [first, last] = [words(before), words(after ?? "")];
  const all = [
    ...first,
    ...Array.from({ length: 8 - first.length - last.length }, () => "0"),
    ...last,
  ];
  const bytes = Buffer.alloc(16);
  all.forEach((word, index) => bytes.writeUInt16BE(Number.parseInt(word, 16), index * 2));
  return bytes;
}
