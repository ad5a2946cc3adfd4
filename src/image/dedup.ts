/**
 * --auto-dedup: what a restore has read of the pages images is taken out of them, to free the room (criu(8)). CRIU does
 * that while it reads, and a tree that is refused afterwards is gone for ever. So recriu withholds the option from CRIU
 * and does the same once the tree runs: the same pages, those of parents too.
 */
import { closeSync, constants, fstatSync, openSync, statSync } from "node:fs";
import { EOPNOTSUPP, errorText } from "../sys/errno.ts";
import { handle, punchHole } from "../sys/files.ts";
import { O_PATH } from "../sys/linux.ts";
import { pageSize } from "../sys/process.ts";
import type { Checkpoint } from "./checkpoint.ts";

interface Range {
  offset: number;
  length: number;
}

interface PagesFile {
  path: string;
  /** `dev:ino`: it is this file and no other that is punched. */
  inode: string;
  ranges: readonly Range[];
}

/** A pages image that must not, or cannot, be written to. `criu`: CRIU could not either, and says this. */
interface Unpunched {
  path: string;
  problem: string;
  criu: string | null;
}

interface Dedup {
  files: readonly PagesFile[];
  problems: readonly Unpunched[];
  /** That are taken out. */
  bytes: number;
}

/** What a restore of the checkpoint will have read. `lazy`: lazy pages are read by others. */
export function dedupOf(checkpoint: Checkpoint, lazy: boolean): Dedup {
  const read = new Map<string, Range[]>();
  for (const pagemap of checkpoint.pagemaps.keys())
    for (const { file, offset, pages } of checkpoint.contents(pagemap, lazy)) {
      const ranges = read.get(file) ?? [];
      read.set(file, ranges);
      const [last, length] = [ranges.at(-1), pages * pageSize()];
      if (last !== undefined && last.offset + last.length === offset) last.length += length;
      else ranges.push({ offset, length });
    }
  const owner = strangerOf(checkpoint.dir);
  const files: PagesFile[] = [];
  const problems: Unpunched[] = [];
  for (const [path, ranges] of read) {
    const opened = open(path, owner);
    if (!opened.ok) {
      problems.push(opened);
      continue;
    }
    closeSync(opened.fd);
    files.push({ path, inode: opened.inode, ranges });
  }
  const all = files.flatMap(({ ranges }) => ranges);
  return { files, problems, bytes: all.reduce((sum, { length }) => sum + length, 0) };
}

/** Take it out. Returns in words what could not be. */
export function punch({ files, problems }: Dedup, dir: string): string[] {
  const owner = strangerOf(dir);
  const unpunched = problems.map(({ path, problem }) => keeps(path, problem));
  const failed = files.flatMap(({ path, inode, ranges }) => {
    const kept = (problem: string) => [keeps(path, problem)];
    const opened = open(path, owner);
    if (!opened.ok) return kept(opened.problem);
    try {
      if (opened.inode !== inode) return kept("it is another file by now");
      for (const { offset, length } of ranges) {
        const result = punchHole(opened.fd, offset, length);
        if (result === -EOPNOTSUPP) return kept("its file system has no holes");
        if (result < 0) return kept(errorText(result));
      }
      return [];
    } finally {
      closeSync(opened.fd);
    }
  });
  return [...unpunched, ...failed];
}

const keeps = (path: string, problem: string): string =>
  `${path} keeps what --auto-dedup takes out: ${problem}`;

/** The owner of no file. */
const NOBODY = -1;

/** The owner of the images directory, when others than the caller and root can choose what is in it. */
function strangerOf(dir: string): number | undefined {
  try {
    const { uid, mode } = statSync(dir);
    const trusted = uid === 0 || uid === process.geteuid?.();
    return trusted && (mode & 0o022) === 0 ? undefined : uid;
  } catch {
    return NOBODY; // it is gone, and what is there instead was chosen by others
  }
}

type Opened = { ok: true; fd: number; inode: string } | ({ ok: false } & Unpunched);

/** Open a pages image to punch it. In a stranger's directory a name can lead to anybody's file: then only a file of his counts. */
function open(path: string, stranger: number | undefined): Opened {
  const file = path.slice(path.lastIndexOf("/") + 1);
  const failed = (problem: string, criu: string | null = null): Opened => ({
    ok: false,
    path,
    problem,
    criu,
  });
  const { O_RDWR, O_NONBLOCK, O_NOFOLLOW } = constants;
  let fd: number;
  try {
    const follow = stranger === undefined ? 0 : O_NOFOLLOW;
    const place = openSync(path, O_PATH | follow);
    try {
      // No device is opened, and no link: that is its own handle.
      const look = fstatSync(place);
      if (look.isSymbolicLink())
        return failed("it is a link in a directory that others can write to");
      if (!look.isFile()) return failed("it is no regular file");
      fd = openSync(handle(place), O_RDWR | O_NONBLOCK);
    } finally {
      closeSync(place);
    }
  } catch (error) {
    const { errno = 0 } = error as NodeJS.ErrnoException;
    return failed(errorText(errno), `Unable to open ${file}: ${errorText(errno)}`);
  }
  const stat = fstatSync(fd, { bigint: true });
  const theirs = stat.uid === BigInt(stranger ?? 0) && stat.nlink === 1n;
  if (stranger === undefined || theirs) return { ok: true, fd, inode: `${stat.dev}:${stat.ino}` };
  closeSync(fd);
  return failed(
    "others can write to the images directory, and this file is another user's, or has other names",
  );
}
