/** Images with one thing changed. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatOf } from "../../src/image/formats.ts";
import { readFrames, type Source, writeFrames } from "../../src/image/frame.ts";

/** Change the entries of an image in place; those that are pushed are added to it. */
export function edit(dir: string, file: string, change: (values: any[]) => void): void {
  const path = join(dir, file);
  const bytes = readFileSync(path);
  const source: Source = {
    file,
    path,
    size: bytes.length,
    read: (offset, length) => bytes.subarray(offset, offset + length),
  };
  const format = formatOf(file);
  if (format === undefined) throw new Error(`no format of ${file} is known`);
  const framed = readFrames(source, format);
  if (!framed.ok) throw new Error(`${file}: ${framed.fault.problem}`);
  const values = framed.entries.map((entry) => entry.value);
  change(values);
  const added = values
    .slice(framed.entries.length)
    .map((value) => ({ offset: 0, value, payload: { offset: 0, length: 0 } }));
  const entries = [...framed.entries, ...added];
  writeFileSync(path, writeFrames(source, format, { ...framed, entries }));
}
