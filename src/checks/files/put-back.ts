/** What puts a file back that is gone or another: all that the images know of it, and a command where one is enough. */
import type { Lookup, Package } from "../../host/index.ts";
import { upward } from "../../host/upward.ts";
import type { RegFileEntry } from "../../image/index.ts";
import { STICKY } from "../../sys/linux.ts";
import { dirname } from "../../sys/path.ts";
import { andThen, sh, type ShellCommand } from "../../sys/shell.ts";
import type { Context, Remedy } from "../finding.ts";
import type { HostPlace } from "../paths.ts";
import { asSealed, buildIdOf, fromBeside } from "./taken-along.ts";
import { isBareMountPoint, mountIt, unmounted } from "./unmounted.ts";
import { isDirectoryUse, type UsedFile } from "./used-files.ts";
import { constants, type Stats } from "node:fs";

type Lost = Extract<Lookup, { ok: false }>;

const ACCESS_MODE = 3;

const octal = (bits: number): string => (bits & 0o7777).toString(8).padStart(4, "0");

const human = (text: string, command: ShellCommand | null): Remedy => ({
  kind: "human",
  text,
  command,
});

/** Of a file or directory that is not where it was. */
export function putBack(context: Context, file: UsedFile, place: HostPlace, lost: Lost): Remedy {
  if (!lost.missing)
    return human("whether it is there could not be seen: find out why, then look again", null);
  const mount = unmounted(context, place.hostPath);
  if (mount !== undefined) return mountIt(mount);
  const { reg } = file;
  const beside = isDirectoryUse(file)
    ? asSealed(context, reg, place)
    : fromBeside(context, reg, place);
  if (beside !== undefined) return beside;
  const above = nearest(place);
  if (file.fifo !== undefined) return fifoAgain(context, file, place, above.stat);
  const empty = isBareMountPoint(context, place, above.path)
    ? `; or, if a file system was mounted at ${above.path}, which is empty, mount that`
    : "";
  const wanted = `${shownAs(reg)}; the images do not say which user it belonged to`;
  const made = make(context, file, place, above.stat);
  if (made !== undefined) return human(`${made.text} (${wanted})${empty}`, made.command);
  const owner = packageOf(context, place);
  if (owner !== undefined)
    return human(
      `put back what it was at the dump (${wanted}): ${shown(owner)} has it; that must be the version of the dump`,
      reinstall(owner),
    );
  return human(`put back what it was at the dump, with its content (${wanted})${empty}`, null);
}

/** Of a directory with another mode: the one below a file system that is not mounted is not to be changed. */
export function modeBack(context: Context, reg: RegFileEntry, place: HostPlace): Remedy {
  const mount = unmounted(context, place.hostPath);
  if (mount !== undefined) return mountIt(mount);
  const mode = octal(reg.mode ?? 0);
  if (isBareMountPoint(context, place, place.path))
    return human(
      `it is empty: if a file system was mounted there, mount it, and change nothing here; else give it mode ${mode} again`,
      null,
    );
  return human("give it its old mode back", sh`chmod ${mode} ${place.hostPath}`);
}

/** Of a file that has another size, or is another build, and cannot be let pass. */
export function otherContent(
  context: Context,
  file: UsedFile,
  place: HostPlace,
  size: number,
): Remedy {
  const { reg, uses } = file;
  const program = reg.build_id.length > 0 || uses.has("program") || uses.has("mapping");
  if (program) return human(`put the file of the dump back${builds(context, reg, place)}`, null);
  const shrank = reg.size !== undefined && BigInt(size) < reg.size;
  return human(
    shrank
      ? `put the file of the dump back, with its content (${shownAs(reg)}): to make it longer (truncate) would only put zeros where its data was`
      : `put the file of the dump back, with its content (${shownAs(reg)})`,
    null,
  );
}

/** The packages of the file here and of that of the dump, as far as this machine's packages tell. */
export function builds(context: Context, reg: RegFileEntry, place: HostPlace): string {
  const here = packageOf(context, place);
  const id = buildIdOf(reg);
  // Packages with debugging symbols, and rpm's others, have a file named after each build.
  const paths = [`/usr/lib/debug/.build-id`, `/usr/lib/.build-id`];
  const then =
    id === ""
      ? undefined
      : paths
          .flatMap((path) => [`${path}/${id.slice(0, 2)}/${id.slice(2)}`])
          .flatMap((path) => [path, `${path}.debug`])
          .map((path) => context.host.packageOf(path))
          .find((found) => found !== undefined);
  const said = [
    here === undefined ? "" : `what is there now is of ${shown(here)}`,
    then === undefined ? "" : `that of the dump is of ${shown(then)}`,
    id === "" ? "" : `the build-id of the dump is ${id}`,
  ].filter((text) => text !== "");
  return said.length === 0 ? "" : `: ${said.join("; ")}`;
}

const shown = ({ name, version, manager }: Package) => `${name} ${version} (${manager})`;

/** Of a container's files this machine's packages know nothing. */
const packageOf = ({ host }: Context, { root, path }: HostPlace): Package | undefined =>
  root.path === "/" ? host.packageOf(path) : undefined;

const reinstall = ({ name, version, manager }: Package): ShellCommand =>
  manager === "dpkg"
    ? sh`apt-get install --reinstall -- ${`${name}=${version}`}`
    : sh`dnf reinstall -- ${`${name}-${version}`}`;

const kinds: Readonly<Record<number, string>> = {
  [constants.S_IFDIR]: "a directory",
  [constants.S_IFCHR]: "a character device",
  [constants.S_IFBLK]: "a block device",
  [constants.S_IFLNK]: "a symbolic link",
  [constants.S_IFIFO]: "a FIFO",
};

function shownAs({ mode, size }: RegFileEntry): string {
  const kind = kinds[(mode ?? 0) & constants.S_IFMT] ?? "a file";
  return [
    size === undefined ? kind : `${kind} of ${size} bytes`,
    ...(mode === undefined ? [] : [`mode ${octal(mode)}`]),
  ].join(", ");
}

/** What was in it is in the images; whose it was is not. */
function fifoAgain(
  context: Context,
  { reg, task }: UsedFile,
  place: HostPlace,
  above: Stats | undefined,
): Remedy {
  const { root, path, hostPath } = place;
  const mode = (reg.mode ?? 0o644) & 0o7777;
  const [uid, gid] = ownerFor(context, task, above);
  const text = `make it again, mode ${octal(mode)}, owner ${uid}:${gid}; what was in it is in the images`;
  const command = withDirectory(
    place,
    uid === 0 && gid === 0
      ? sh`mkfifo -m ${octal(mode)} ${hostPath}`
      : sh`mkfifo -m ${octal(mode)} ${hostPath} && chown ${`${uid}:${gid}`} ${hostPath}`,
  );
  // Untrusted images choose no place for one: what opens a FIFO waits.
  if (context.settings.untrusted) return human(text, command);
  return {
    kind: "repair",
    text,
    command,
    repair: { action: "fifo", root: root.path, path, mode, uid, gid },
  };
}

/** A command that makes something in a directory, which is made before where it is not there. */
const withDirectory = ({ root, path, hostPath }: HostPlace, command: ShellCommand): ShellCommand =>
  root.look(dirname(path)).ok ? command : andThen(sh`mkdir -p ${dirname(hostPath)}`, command);

/** What a command can make as it was. */
function make(
  context: Context,
  { reg, task, uses }: UsedFile,
  place: HostPlace,
  above: Stats | undefined,
): { text: string; command: ShellCommand } | undefined {
  const { hostPath: path } = place;
  const type = (reg.mode ?? 0) & constants.S_IFMT;
  const directory = isDirectoryUse({ uses });
  const mode = octal(reg.mode ?? (directory ? 0o755 : 0o644));
  const [uid, gid] = ownerFor(context, task, above);
  if (directory || type === constants.S_IFDIR)
    return {
      text: "put the directory back with what the program expects in it; an empty one is enough for CRIU",
      command: sh`install -d -m ${mode} -o ${uid} -g ${gid} ${path}`,
    };
  if (type === constants.S_IFCHR || type === constants.S_IFBLK) {
    const number = deviceNumber(context, path);
    const kind = type === constants.S_IFCHR ? "c" : "b";
    return number === undefined
      ? undefined
      : {
          text: "make the device again",
          command: withDirectory(
            place,
            sh`mknod -m ${mode} ${path} ${kind} ${number[0]} ${number[1]}`,
          ),
        };
  }
  if (type !== constants.S_IFREG) return undefined;
  const empty = sh`install -D -m ${mode} -o ${uid} -g ${gid} /dev/null ${path}`;
  const appended =
    (reg.flags & ACCESS_MODE) === constants.O_WRONLY && (reg.flags & constants.O_APPEND) !== 0;
  if (reg.size === undefined ? appended : reg.size === 0n)
    return {
      text: appended ? "begin the log anew: it is only appended to" : "make it again: it was empty",
      command: empty,
    };
  // It is as gone as the memory of the machine; where its content is not needed, zeros do.
  if (reg.size !== undefined && path.startsWith("/dev/shm/"))
    return {
      text: "it was in memory, and what was in it is in no image: this makes it again with zeros, which is right only where the tree does not need that",
      command: sh`install -D -m ${mode} -o ${uid} -g ${gid} /dev/null ${path} && truncate -s ${reg.size} ${path}`,
    };
  return undefined;
}

/** Where everybody may make files the task will have made it; elsewhere it is like what it stands in. */
function ownerFor(
  { checkpoint, namespaces }: Context,
  task: number | null,
  above: Stats | undefined,
): [number, number] {
  const creds = checkpoint.tasks.find(({ pid }) => pid === task)?.core?.thread_core?.creds;
  const shared = above !== undefined && (above.mode & STICKY) !== 0;
  const own = shared && creds ? namespaces.ownerOnHost(creds.fsuid, creds.fsgid) : undefined;
  return own === undefined ? [above?.uid ?? 0, above?.gid ?? 0] : [own.uid, own.gid];
}

/** Of a device that this kernel has, by its name. */
function deviceNumber({ host }: Context, path: string): [number, number] | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const root = host.root("/");
  if (!root.ok || name === "" || name === "..") return undefined;
  for (const kind of root.root.list("/sys/class")) {
    const found = /^(\d+):(\d+)\s*$/.exec(host.read(`/sys/class/${kind}/${name}/dev`) ?? "");
    if (found !== null) return [Number(found[1]), Number(found[2])];
  }
  return undefined;
}

/** The directory before a path that is there, as a path of the place's root, and what it is. */
function nearest({ root, path }: HostPlace): { path: string; stat: Stats | undefined } {
  for (const at of upward(dirname(path))) {
    const found = root.look(at);
    if (found.ok) return { path: at, stat: found.stat };
  }
  return { path: "/", stat: undefined };
}
