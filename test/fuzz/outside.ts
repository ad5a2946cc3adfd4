/** What must not be touched: files beside the images, where paths of images lead. */
import { lstatSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Make files at these paths below `root`. */
export function plant(root: string, paths: Iterable<string>): void {
  for (const path of paths) {
    const at = join(root, path);
    try {
      mkdirSync(dirname(at), { recursive: true });
      writeFileSync(at, "outside", { flag: "wx" });
    } catch {
      // A directory by now, or a file on its way.
    }
  }
}

/** Every entry below `root`, with all that a change to it would change. */
export function stateOf(root: string): string {
  const names = (readdirSync(root, { recursive: true }) as string[]).sort();
  return ["", ...names]
    .map((name) => {
      const { ino, mode, uid, gid, nlink, size, mtimeNs, ctimeNs } = lstatSync(join(root, name), {
        bigint: true,
      });
      return [name, ino, mode, uid, gid, nlink, size, mtimeNs, ctimeNs].join(" ");
    })
    .join("\n");
}
