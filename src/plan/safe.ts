/**
 * Which repairs recriu may make: those that give no user what that user could not have made. The images say where and for
 * whom a directory is to be, and any user may have put a link or a directory of his own on the way to it.
 */
import { O_PATH, STICKY, WORLD_WRITES } from "../sys/linux.ts";
import { closeSync, fstatSync } from "node:fs";
import type { Finding, Repair } from "../checks/index.ts";
import { openEntry } from "../sys/files.ts";
import { namesOf, walkInside, type WalkInside } from "../sys/walk.ts";

const SET_IDS = 0o6000;

/** The way to what a repair makes, or why recriu does not make it. */
export function walkRepair(
  repair: Repair,
): Extract<WalkInside, { ok: true }> | { ok: false; problem: string } {
  const { root, path, mode } = repair;
  const names = namesOf(path);
  const no = (problem: string) => ({ ok: false, problem }) as const;
  if (names.length === 0 || names.includes("..") || path.includes("\0"))
    return no(`${path}: a path with .. or NUL in it, or none, is not made`);
  const open = (mode & WORLD_WRITES) !== 0 && (mode & STICKY) === 0;
  const given = repair.action === "file" && repair.rights === true;
  if (((mode & SET_IDS) !== 0 && !given) || (open && repair.action === "mkdir"))
    return no(`a ${nameOf(repair)} of mode ${octal(mode)} would give others rights`);
  const way = walkInside(root, path);
  if (!way.ok) return way;
  const problem =
    given && way.user !== undefined
      ? `${onHost(root, way.at)} belongs to ${way.uid}:${way.gid}, and nothing that gives rights is made there`
      : refusal(way, repair, names.at(-1)!);
  if (problem === undefined) return way;
  closeSync(way.fd);
  return no(problem);
}

/**
 * The way to the file that a repair makes a name more of: by the same rules, and for both names to the same user's directories, as
 * what one may change there is not another's to have.
 */
export function walkToName(
  { root }: Repair,
  name: string,
  user: number | undefined,
): Extract<WalkInside, { ok: true }> | { ok: false; problem: string } {
  const way = walkInside(root, name);
  if (!way.ok || (way.user === user && way.missing.length === 0)) return way;
  closeSync(way.fd);
  const directory = onHost(root, way.at);
  const problem =
    way.missing.length > 0
      ? `${directory}/${way.missing[0]} is gone`
      : `${directory} belongs to ${way.uid}:${way.gid}`;
  return { ok: false, problem };
}

function refusal(
  way: Extract<WalkInside, { ok: true }>,
  repair: Repair,
  name: string,
): string | undefined {
  const { root, uid, gid, action } = repair;
  const directory = onHost(root, way.at);
  if (way.user !== undefined && (uid !== way.user || gid !== way.gid))
    return `${directory} belongs to ${way.uid}:${way.gid}, and nothing of ${uid}:${gid} is made there`;
  if (way.user === undefined && !mayOwn(way, root, uid, name))
    return `${directory} belongs to ${way.uid}:${way.gid}, and only the images say that something of ${uid}:${gid} was there`;
  if (way.missing.length > 0) return undefined;
  const fd = openEntry(way.fd, name, O_PATH);
  if (fd < 0) return undefined; // not there, or what mkdir(2) will say
  const stat = fstatSync(fd);
  closeSync(fd);
  const path = onHost(root, `${way.at}/${name}`);
  if (action === "file" && repair.aside !== undefined)
    return stat.isFile() ? undefined : `${path} is no regular file`;
  if (action !== "mkdir") return `${path} is there by now`;
  if (!stat.isDirectory())
    return `${path} is ${stat.isSymbolicLink() ? "a link" : "no directory"} of uid ${stat.uid}`;
  return [0, process.geteuid!(), way.uid, uid].includes(stat.uid)
    ? undefined
    : `${path} belongs to uid ${stat.uid}`;
}

/**
 * Whether a user gets no more by a directory of his than he had: where everybody may make one, and for services in /run, but
 * for the names in it from which root's programs read what to do. Inside another root that is the tree's own affair.
 */
function mayOwn(
  { at, fd, uid: owner, missing }: Extract<WalkInside, { ok: true }>,
  root: string,
  uid: number,
  name: string,
): boolean {
  if (root !== "/" || [0, process.geteuid!(), owner].includes(uid)) return true;
  if (
    missing.length === 0 &&
    (fstatSync(fd).mode & (STICKY | WORLD_WRITES)) === (STICKY | WORLD_WRITES)
  )
    return true;
  const [top, ...below] = [...namesOf(at), ...missing, name];
  const reads = (each: string) => /^(systemd|udev|credstore.*|.*\.d)$/.test(each);
  return top === "run" && !below.some(reads);
}

const nameOf = ({ action }: Repair): string =>
  ({ mkdir: "directory", fifo: "FIFO", file: "file" })[action];
const octal = (mode: number): string => mode.toString(8).padStart(4, "0");
const onHost = (root: string, path: string): string => `${root}/${path}`.replace(/\/+/g, "/");

/**
 * A finding as it is once the way was looked at: its repair with the path that the links on the way lead to, or a person's
 * to do where recriu must not.
 */
export function onlySafely(finding: Finding): Finding {
  const { remedy } = finding;
  if (remedy.kind !== "repair") return finding;
  const { repair } = remedy;
  const way = walkRepair(repair);
  if (!way.ok)
    return {
      ...finding,
      remedy: {
        kind: "human",
        text: `recriu does not make the ${nameOf(repair)} ${onHost(repair.root, repair.path)} (mode ${octal(repair.mode)}, owner ${repair.uid}:${repair.gid}): ${way.problem}; look at that, and make it yourself where it belongs`,
        // Typed, it would take the way that was just refused.
        command: null,
      },
    };
  closeSync(way.fd);
  if (repair.action === "file" && repair.link !== undefined) {
    const { link, ...alone } = repair;
    const there = walkToName(repair, link, way.user);
    if (there.ok) closeSync(there.fd);
    else {
      const text = `${remedy.text}; recriu makes it a file of its own, too: ${there.problem}`;
      return onlySafely({ ...finding, remedy: { ...remedy, text, repair: alone } });
    }
  }
  const resolved = [...namesOf(way.at), ...way.missing, namesOf(repair.path).at(-1)!];
  const path = `/${resolved.join("/")}`;
  return path === `/${namesOf(repair.path).join("/")}`
    ? finding
    : {
        ...finding,
        remedy: {
          ...remedy,
          repair: { ...repair, path },
          text: `${remedy.text}, which is ${onHost(repair.root, path)}`,
        },
      };
}
