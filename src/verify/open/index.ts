/**
 * Every open file, once, by what is of its kind: what the kernel tells of it against what was saved. That no kind is
 * forgotten the compiler sees to.
 */
import type { FileEntry } from "../../image/index.ts";
import { borrow } from "../../sys/descriptors.ts";
import type { Facet } from "../facet.ts";
import { fifo, pipe, unixQueue } from "./contents.ts";
import { epoll } from "./epoll.ts";
import { eventfd, pidfd, signalfd } from "./events.ts";
import { type Compare, type Kind, OpenFile, type Saved, Seen } from "./file.ts";
import { memfd } from "./memfd.ts";
import { netlink } from "./netlink.ts";
import { namespaceFile } from "./namespace-file.ts";
import { compareOwner, type Fown } from "./owner.ts";
import { timerfd } from "./timerfd.ts";
import { fanotify, inotify } from "./watches.ts";

/** Compared elsewhere: by the facet that is named. A reason: nothing tells. */
type Kinds = { [K in Kind]: Compare<K> | { facet: string } | { reason: string } };

const kinds: Kinds = {
  // Before its file, which it has beside.
  tunf: { reason: "TUN devices" },
  reg: { facet: "descriptors" },
  // What else there is of them: inet sockets, socket options.
  isk: ({ uid }, file) => file.sameOwner("socket", { uid }),
  nlsk: netlink,
  psk: { facet: "socket options" },
  tty: { facet: "terminals" },
  nsf: namespaceFile,
  usk: unixQueue,
  efd: eventfd,
  epfd: epoll,
  sgfd: signalfd,
  tfd: timerfd,
  ify: inotify,
  ffy: fanotify,
  fifo,
  pipe,
  memfd,
  pidfd,
  bpf: { reason: "BPF maps" },
  ext: { reason: "files of CRIU's plugins" },
};

/** What --inherit-fd can put in a file's place (inherited_fd of criu/files.c); which files it does, their names would tell. */
const inheritable: ReadonlySet<Kind> = new Set([
  "reg",
  "ext",
  "pipe",
  "fifo",
  "usk",
  "tty",
  "memfd",
  "tunf",
]);

const names = Object.keys(kinds) as Kind[];
const kindOf = (file: FileEntry): Kind | undefined =>
  names.find((kind) => file[kind] !== undefined);

export const openFiles: Facet = {
  id: "open files",
  final: "outside",
  moving: true,
  compare(subject, comparison) {
    const { checkpoint, live, request } = subject;
    const inherits = request.inheritFds.length > 0;
    const seen = new Seen();
    const files = new Set<number>();
    for (const { task, pid, proc } of live.tasks.values()) {
      for (const { fd, id } of task.fds) {
        if (files.has(id)) continue;
        files.add(id);
        const entry = checkpoint.openFiles.get(id);
        const kind = entry && kindOf(entry);
        if (entry === undefined || kind === undefined) continue;
        if (inherits && inheritable.has(kind)) {
          comparison.leftOut("open files, as --inherit-fd gives some");
          continue;
        }
        const file = new OpenFile(subject, comparison, seen, task.pid, pid, fd, proc);
        compareKind(kind, entry, file);
      }
    }
  },
};

function compareKind<K extends Kind>(kind: K, entry: FileEntry, file: OpenFile): void {
  const saved = entry[kind] as Saved<K>;
  const how = kinds[kind];
  if (typeof how === "function") how(saved, file);
  else if ("reason" in how) file.leftOut(how.reason);
  const fown = (saved as { fown?: Fown }).fown;
  // Plain files are many, and hardly any has an owner: only those that had one are asked.
  if (fown === undefined || (kind === "reg" && fown.pid === 0 && fown.signum === 0)) return;
  borrow(file.pid, file.fd, (copy) => compareOwner(fown, file, copy));
}
