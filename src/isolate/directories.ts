/** Directories that a tree has for itself: an overlay of the kernel's over what is there, of which the upper half is in memory. */
import { lstatSync } from "node:fs";
import type { PrivateDir } from "../checks/index.ts";
import { AT_FDCWD } from "../sys/linux.ts";
import { dirname } from "../sys/path.ts";
import { MS, type Preparation, SYS } from "./steps.ts";

/** Where the upper halves are made: under the /proc that is mounted next, and let go of before. */
const AT = "/proc";
/** mknod(2): what hides a name of the lower half. */
const S_IFCHR = 0o020000;

export function directorySteps(dirs: readonly PrivateDir[]): Preparation[] {
  if (dirs.length === 0) return [];
  const what = (of: string) => `no directory of the tree's own can be made of ${of}`;
  const steps = dirs.flatMap(({ path, hidden }, nth): Preparation[] => {
    const [upper, work] = [`${AT}/upper${nth}`, `${AT}/work${nth}`];
    const like = (each: string): Preparation[] => {
      const stat = lstatSync(each);
      if (!stat.isDirectory()) throw new Error(`${each} is no directory any more`);
      const { mode, uid, gid } = stat;
      const made = upper + each.slice(path.length);
      return [
        [SYS.mkdirat, AT_FDCWD, made, 0o700] as const,
        [SYS.fchownat, AT_FDCWD, made, uid, gid, 0] as const,
        [SYS.fchmodat, AT_FDCWD, made, mode & 0o7777] as const,
      ].map((step) => ({ what: what(each), step }));
    };
    const above = new Set([path]);
    for (const each of hidden)
      for (const part of upTo(dirname(each), path).toReversed()) above.add(part);
    const options = `lowerdir=${path},upperdir=${upper},workdir=${work}`;
    return [
      ...[...above].flatMap(like),
      ...hidden.map((each) => ({
        what: `${each} cannot be hidden`,
        step: [SYS.mknodat, AT_FDCWD, upper + each.slice(path.length), S_IFCHR, 0] as const,
      })),
      { what: what(path), step: [SYS.mkdirat, AT_FDCWD, work, 0o700] },
      {
        what: what(path),
        step: [SYS.mount, "overlay", path, "overlay", MS.NOSUID | MS.NODEV, options],
      },
    ];
  });
  return [
    { what: what("anything"), step: [SYS.mount, "tmpfs", AT, "tmpfs", 0, "mode=700"] },
    ...steps,
    { what: what("anything"), step: [SYS.umount2, AT, 0] },
  ];
}

/** The directories from one up to, and without, another that it is in. */
function upTo(path: string, end: string): string[] {
  return path === end ? [] : [path, ...upTo(dirname(path), end)];
}
