/** What of the tree is another here, as it is asked for: addresses, paths. */
import type { MappedPath } from "../image/index.ts";
import { addressOf } from "../sys/address.ts";
import type { ParsedOption } from "./getopt.ts";

/** Addresses of 4 or 16 bytes, both of one family. */
export interface ReplacedAddress {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
}

/** What --replace-ip asks for, the first for each address; or what is wrong with it. */
export function replacementsOf(parsed: readonly ParsedOption[]): ReplacedAddress[] | string {
  const found: ReplacedAddress[] = [];
  for (const { name, value = "" } of parsed) {
    if (name !== "replace-ip") continue;
    const [from, to, more] = value.split("=").map(addressOf);
    if (from === undefined || to === undefined || more !== undefined || from.length !== to.length)
      return `--replace-ip is OLD=NEW, two addresses of one family; not '${value}'`;
    if (found.every((one) => Buffer.compare(one.from, from) !== 0)) found.push({ from, to });
  }
  return found;
}

/** What --map-path asks for, or what is wrong with it: of a name with `=/` in it the first counts. */
export function pathsOf(parsed: readonly ParsedOption[]): MappedPath[] | string {
  const found: MappedPath[] = [];
  for (const { name, value = "" } of parsed) {
    if (name !== "map-path") continue;
    const at = value.indexOf("=/");
    const [from, to] = [value.slice(0, Math.max(0, at)), value.slice(at + 1)];
    if (![from, to].every((path) => /^(\/(?!\.{0,2}(\/|$))[^/]+)+$/.test(path)))
      return `--map-path is OLD=NEW, two absolute paths without dots or a slash at the end; not '${value}'`;
    found.push({ from, to });
  }
  return found;
}
