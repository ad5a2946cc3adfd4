/** What stands in several documents. */
import type { Named } from "../../src/checks/index.ts";
import type { Explanation } from "../../src/explain/index.ts";
import type { LogLine } from "../../src/criu/log.ts";
import type { CheckDocument } from "../../src/report/documents.ts";
import type { ShownContainer } from "../../src/show/container.ts";
import type { ShownMapping } from "../../src/show/mappings.ts";
import { catalogue } from "../../src/checks/catalogue.ts";
import {
  byName,
  flag,
  integer,
  list,
  maybe,
  number,
  object,
  oneOf,
  orNull,
  type Plain,
  type Shape,
  text,
} from "./shape.ts";

const texts = list(text());
const pids = list(integer());

export const mapping: Shape<Plain<ShownMapping>> = object({
  what: text("as /proc/PID/maps has it: addresses, rights, what is mapped"),
  from: integer("its first address"),
  bytes: integer(),
  saved: integer("bytes of it that the images, or their parents, have"),
});

/** Members of a task; `show` adds to them. */
export const task = {
  pid: integer("by its number in the images, as all of them are"),
  ppid: integer(),
  pgid: integer(),
  sid: integer(),
  state: text(),
  command: text("its comm"),
  argv: orNull(
    texts,
    "its words, as its memory has them; null where the images have not that page",
  ),
  uid: orNull(integer(), "the effective user"),
  gid: orNull(integer()),
  program: orNull(text()),
  cwd: orNull(text()),
  root: orNull(text(), "its root directory"),
  memory: integer("bytes of its own memory that the images, or their parents, have"),
  threads: list(
    object({ tid: integer(), name: text(), policy: text(), priority: integer(), nice: integer() }),
  ),
  files: list(
    object({ fd: integer(), id: integer("of its entry in files.img"), what: text() }),
    "its descriptors",
  ),
} as const;

const socket = object({
  family: oneOf(["unix", "inet", "inet6", "netlink", "packet"]),
  type: text("stream, datagram; of IP its protocol"),
  state: text(),
  local: orNull(text(), "a path, @NAME or ADDRESS:PORT"),
  remote: orNull(text()),
  inode: integer(),
  id: integer("of its entry in files.img"),
  tasks: pids,
  peers: list(integer(), "tasks that have the other end open, where that is in the tree"),
  waiting: integer("messages that wait in it; of other sockets than unix no image says so"),
  senders: list(text(), "their senders, where those were saved: PID as UID:GID"),
});

const container: Shape<Plain<ShownContainer>> = object({
  engine: orNull(oneOf(["Podman", "CRI-O", "containerd"])),
  name: orNull(text()),
  id: orNull(text()),
  image: orNull(text()),
  runtime: orNull(text()),
  created: orNull(text()),
  checkpointed: orNull(text()),
  namespace: orNull(text()),
  pod: orNull(text()),
  addresses: texts,
  macs: texts,
  changed: orNull(integer(), "bytes of what it changed in its root file system"),
  mounts: list(object({ destination: text(), type: text(), source: text() })),
  annotations: byName(text()),
});

const statistics = object({
  freezing: integer(),
  frozen: integer("how long the tree stood still"),
  memory_dump: integer(),
  memory_write: integer(),
  pages_scanned: integer(),
  pages_written: integer(),
});

/** Members of the whole but its tasks. */
export const whole = {
  images: text("as they were named"),
  format: orNull(integer(), "img_version of the inventory"),
  architecture: orNull(text()),
  written: orNull(text(), "when the inventory was written, as ISO 8601 in UTC"),
  container: orNull(container, "of an archive that an engine exported"),
  statistics: orNull(statistics, "CRIU's of the dump; times in microseconds"),
  memory: integer("bytes of memory in the images"),
  compressed: flag(),
  size: integer("bytes of all images as files"),
  incremental: flag("it was dumped upon a parent, which has the rest of its memory"),
  sockets: list(socket),
  mounts: list(object({ mountpoint: text(), source: text(), external: orNull(text()) })),
  cgroups: list(text(), "CONTROLLERS:PATH"),
  namespaces: list(text(), "kinds of which the tree has its own"),
  terminals: texts,
  binary_formats: list(text(), "NAME: INTERPRETER, of user namespaces of the tree's own"),
} as const;

const groups = [...new Set(catalogue.map(({ group }) => group))];
export const check: Shape<Plain<CheckDocument>> = object({
  id: text("stable") as Shape<Named["id"]>,
  group: oneOf<Named["group"]>(groups),
  title: text(),
  why: text("why a restore fails, and what to do"),
  reads: text("images and facts of the machine"),
});

export const explanation: Shape<Plain<Explanation>> = object({
  line: text(),
  by: oneOf(["criu", "runtime"]),
  warning: flag("it matters although CRIU goes on"),
  quiet: flag("a warning that tells nothing of what failed"),
  consequence: flag("it comes of something else"),
  check: text("the check that names it beforehand; empty where none can"),
  also: texts,
  cause: text("empty where CRIU says it well itself"),
  like: maybe(text("the words that are known and nearest, where the line's are not")),
  because: maybe(text("what the kernel means by the errno")),
  remedy: text(),
  since: maybe(text("the CRIU that mended it")),
  issues: texts,
});

export const logLine: Shape<Plain<LogLine>> = object({
  level: oneOf(["Error", "Warn"]),
  time: maybe(number("seconds since CRIU began")),
  pid: maybe(integer()),
  file: text(),
  line: maybe(integer("where people have left it in")),
  subsystem: maybe(text()),
  message: text(),
});
