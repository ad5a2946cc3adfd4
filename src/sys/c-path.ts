/** A path as a C string, in one buffer for all of them: thousands are asked for, and each is used up at once. */
import { type Pointer, ptr } from "bun:ffi";
import { PATH_MAX } from "./linux.ts";
import { cString } from "./text.ts";

const encoder = new TextEncoder();
const bytes = Buffer.alloc(PATH_MAX);
let place: Pointer | undefined;

/** Where `path` stands, until the next one is asked for; undefined when the kernel takes none so long. */
export function cPath(path: string): Pointer | undefined {
  const { read, written } = encoder.encodeInto(path, bytes);
  if (read < path.length || written >= bytes.length) return undefined;
  bytes[written] = 0;
  // Bytes that are not UTF-8 are there as they are.
  if (written > path.length && /[\udc80-\udcff]/.test(path)) bytes.set(cString(path));
  return (place ??= ptr(bytes));
}
