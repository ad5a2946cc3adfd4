/** What is in a checkpoint, as data: its tree first, then what is special about it. */
import type { Checkpoint } from "../image/index.ts";
import { userns_entry } from "../image/tables/namespaces.ts";
import { statAt } from "../sys/look.ts";
import { join } from "../sys/path.ts";
import type { ShownContainer } from "./container.ts";
import { type ShownSocket, shownSockets } from "./sockets.ts";
import { type ShownStatistics, statisticsOf } from "./statistics.ts";
import { type ShownTask, shownTask } from "./tasks.ts";

interface ShownMount {
  readonly mountpoint: string;
  readonly source: string;
  readonly external: string | null;
}

export interface Contents {
  /** As the user named them. */
  readonly images: string;
  /** img_version of the inventory. */
  readonly format: number | null;
  /** As the kernel names it; null where no task says. */
  readonly architecture: string | null;
  /** When the inventory was written, the last image of a dump: ISO 8601, in UTC. A copy may have a later time. */
  readonly written: string | null;
  /** Of an archive that an engine exported; null: it is none, or says nothing. */
  readonly container: ShownContainer | null;
  /** CRIU's of the dump, where they are beside the images. */
  readonly statistics: ShownStatistics | null;
  /** Bytes of memory in the images. */
  readonly memory: number;
  /** Some of it is compressed, here or in an older checkpoint that this one builds on. */
  readonly compressed: boolean;
  /** Bytes of all images as files. */
  readonly size: number;
  /** It was dumped upon a parent, which holds the rest of its memory. */
  readonly incremental: boolean;
  readonly tasks: readonly ShownTask[];
  readonly sockets: readonly ShownSocket[];
  readonly mounts: readonly ShownMount[];
  readonly cgroups: readonly string[];
  /** Kinds of namespaces that are the tree's own. */
  readonly namespaces: readonly string[];
  /** Terminals, `pts/N` and their like. */
  readonly terminals: readonly string[];
  /** NAME: INTERPRETER, of user namespaces of the tree's own (binfmt_misc). */
  readonly binary_formats: readonly string[];
}

/** Gather it from every image that is needed for it. */
export function contentsOf(
  checkpoint: Checkpoint,
  images: string,
  container: ShownContainer | null = null,
): Contents {
  const own = checkpoint.root?.ids;
  const outer = checkpoint.inventory?.root_ids;
  const mntNs = own?.mnt_ns_id;
  return {
    images,
    format: checkpoint.inventory?.img_version ?? null,
    architecture: architectures[checkpoint.root?.core?.mtype ?? 0] ?? null,
    written: writtenAt(join(checkpoint.dir, "inventory.img")),
    container,
    statistics: statisticsOf(checkpoint.dir),
    memory: checkpoint.pages().reduce((sum, use) => sum + (use.actual ?? 0), 0),
    compressed: checkpoint.packed !== undefined,
    size: [...checkpoint.files].reduce((sum, file) => sum + (checkpoint.size(file) ?? 0), 0),
    incremental: checkpoint.files.has("parent"),
    tasks: checkpoint.tasks.map((task) => shownTask(checkpoint, task)),
    sockets: shownSockets(checkpoint),
    mounts: (mntNs !== undefined && mntNs !== outer?.mnt_ns_id ? checkpoint.mounts(mntNs) : []).map(
      ({ mountpoint, source, ext_key }) => ({ mountpoint, source, external: ext_key ?? null }),
    ),
    cgroups: [
      ...new Set(
        (checkpoint.cgroup?.sets ?? []).flatMap((set) =>
          set.ctls.map((ctl) => `${ctl.name === "" ? "cgroup2" : ctl.name}:${ctl.path}`),
        ),
      ),
    ],
    namespaces: kinds.filter((kind) => {
      const id = own?.[`${kind}_ns_id`];
      return id !== undefined && outer !== undefined && id !== outer[`${kind}_ns_id`];
    }),
    terminals: checkpoint.ttys.map(({ type, pty }) =>
      pty === undefined ? `tty of type ${type}` : `pts/${pty.index}`,
    ),
    binary_formats: [...checkpoint.files]
      .filter((file) => /^userns-\d+\.img$/.test(file))
      .flatMap((file) => checkpoint.values(file, userns_entry))
      .flatMap(({ binfmt_misc }) => binfmt_misc)
      .map(({ name, interpreter }) => `${name}: ${interpreter}`),
  };
}

const kinds = ["pid", "net", "ipc", "uts", "mnt", "user", "cgroup", "time"] as const;

/** When a regular file was written; null where there is none, or that is not known: archives without times leave it at 0. */
function writtenAt(path: string): string | null {
  const stat = statAt(path);
  if (typeof stat === "number" || !stat.isFile()) return null;
  const time = new Date(stat.mtimeMs);
  return time.getTime() > 0 ? time.toISOString() : null;
}

/** core_entry.march. */
const architectures: Readonly<Record<number, string>> = {
  1: "x86_64",
  2: "arm",
  3: "aarch64",
  4: "ppc64",
  5: "s390",
  6: "mips",
  7: "loongarch64",
  8: "riscv64",
};
