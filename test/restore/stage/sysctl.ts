/** Settings of the kernel that a case changes, and that are as they were when it ends. */
import { readFileSync, writeFileSync } from "node:fs";

/** Set /proc/sys/NAME (or another file of one value) until the end of the block: `using _ = setting(…)`. */
export function setting(path: string, value: number | string): Disposable {
  const file = path.startsWith("/") ? path : `/proc/sys/${path}`;
  const before = readFileSync(file, "utf8");
  writeFileSync(file, String(value));
  return { [Symbol.dispose]: () => writeFileSync(file, before) };
}
