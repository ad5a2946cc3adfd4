/** What must hold for every checkpoint, whichever test made it. */
import { cpSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openImageDirectory } from "../../src/image/directory.ts";
import { formatOf } from "../../src/image/formats.ts";
import { readFrames, type Source, writeFrames } from "../../src/image/frame.ts";
import { openCheckpoint } from "../../src/image/index.ts";

/** Decode and encode every image of a directory; returns how many, and the files whose bytes differ. */
export function roundTrip(dir: string): { images: number; differing: string[] } {
  const opened = openImageDirectory(dir);
  if (!opened.ok) throw new Error(opened.fault.problem);
  let images = 0;
  const differing: string[] = [];
  for (const file of opened.directory.names) {
    const format = formatOf(file);
    if (format === undefined) continue;
    images += 1;
    const again = opened.directory.read(file, (source) => {
      const framed = readFrames(source, format);
      return framed.ok ? Buffer.from(writeFrames(source, format, framed)) : undefined;
    });
    if (
      !again.ok ||
      again.value === undefined ||
      !again.value.equals(readFileSync(join(dir, file)))
    )
      differing.push(file);
  }
  return { images, differing };
}

/**
 * Cut every image of `dir` at every byte and read it; then, at every 97th, read the whole checkpoint from a copy that is
 * cut so. Returns how many cuts were made and those where no fault names the file that was cut, though less is left of
 * it than CRIU needs.
 */
export function truncations(dir: string, copy: string): { cuts: number; unnamed: string[] } {
  cpSync(dir, copy, { recursive: true });
  let cuts = 0;
  const unnamed: string[] = [];
  for (const file of readdirSync(copy)) {
    const format = formatOf(file);
    if (format === undefined) continue;
    const path = join(copy, file);
    const whole = readFileSync(path);
    // Cut between two entries, an image is shorter but well-formed: nothing in it tells.
    const ends = entryEnds(dir, file);
    for (let at = 0; at < whole.length; at += 1) {
      const framed = readFrames(sourceOf(file, whole.subarray(0, at)), format);
      const named = !framed.ok && framed.fault.file === file;
      if (!ends.has(at) && !named) unnamed.push(`${file} at ${at}`);
      cuts += 1;
      if (at % 97 !== 0) continue;
      truncateSync(path, at);
      const opened = openCheckpoint(copy);
      if (!opened.ok) throw new Error(opened.fault.problem);
      const faults = opened.checkpoint.readEverything();
      if (!ends.has(at) && !faults.some((fault) => fault.file === file))
        unnamed.push(`${file} at ${at}, in its checkpoint`);
      writeFileSync(path, whole);
    }
    if (statSync(path).size !== whole.length) throw new Error(`${file} was not put back`);
  }
  return { cuts, unnamed };
}

const sourceOf = (file: string, bytes: Uint8Array): Source => ({
  file,
  path: file,
  size: bytes.length,
  read: (offset, length) => bytes.subarray(offset, offset + length),
});

/** Where an entry of an image ends, and nothing of the next is there yet. */
function entryEnds(dir: string, file: string): Set<number> {
  const opened = openImageDirectory(dir);
  if (!opened.ok) throw new Error(opened.fault.problem);
  const format = formatOf(file)!;
  const read = opened.directory.read(file, (source) => readFrames(source, format));
  if (!read.ok || !read.value.ok) throw new Error(`${file} is not whole`);
  const { entries, magics } = read.value;
  const ends = new Set(format.single ? [] : [magics * 4]);
  for (const entry of entries) ends.add(entry.payload.offset + entry.payload.length);
  return ends;
}
