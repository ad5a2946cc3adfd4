/** Processes of others that the tree can signal or wait for by what CRIU gives it (files.c, restore_fown; pidfd.c). */
import type { FileEntry } from "../../image/index.ts";
import type { Context } from "../finding.ts";
import { effect, type Effect, imageOf } from "./effect.ts";

/** f_owner_ex.type, fcntl(2). */
const F_OWNER_PGRP = 2;

const SIGIO = 29;

/** In a pid namespace of its own no number is anybody's of outside. */
export function signalEffects(context: Context): Iterable<Effect> {
  const { checkpoint, namespaces } = context;
  if (namespaces.created.pid) return [];
  const ids = new Set<number>();
  const groups = new Set<number>();
  for (const { pid, pgid, threads } of checkpoint.tasks) {
    groups.add(pgid);
    for (const { tid } of threads) ids.add(tid);
    ids.add(pid);
  }
  return checkpoint.openFiles.values().flatMap((file): Effect[] => {
    const image = imageOf(file.id);
    const found: Effect[] = [];
    const owner = ownerOf(file);
    const group = owner?.pid_type === F_OWNER_PGRP;
    const inTree = owner === undefined || (group ? groups : ids).has(owner.pid);
    if (owner !== undefined && owner.pid !== 0 && !inTree)
      found.push(
        effect({
          verb: "signal",
          what: group ? "process group" : "process",
          name: `${owner.pid}${commOf(context, owner.pid)}`,
          detail: `gets signal ${owner.signum || SIGIO} whenever there is something to read, as if user ${owner.euid} sent it`,
          image,
          when: "running",
          check: "untrusted-signal",
        }),
      );
    const { pidfd } = file;
    if (pidfd !== undefined && pidfd.nspid > 0 && !ids.has(pidfd.nspid))
      found.push(
        effect({
          verb: "signal",
          what: "process",
          name: `${pidfd.nspid}${commOf(context, pidfd.nspid)}`,
          detail:
            "the tree holds a descriptor of it (pidfd), and may signal it and take its descriptors",
          image,
          when: "running",
          check: "untrusted-signal",
        }),
      );
    return found;
  });
}

const commOf = ({ host }: Context, pid: number): string => {
  const found = host.processes.find((process) => process.pid === pid);
  return found === undefined ? "" : ` (${found.comm})`;
};

interface Owner {
  pid: number;
  pid_type: number;
  signum: number;
  euid: number;
}

/** Every kind of file has it in its own entry. */
function ownerOf(file: FileEntry): Owner | undefined {
  for (const entry of Object.values(file))
    if (typeof entry === "object" && entry !== null && "fown" in entry) return entry.fown as Owner;
  return undefined;
}
