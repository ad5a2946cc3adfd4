/** Formats of programs that a user namespace of the tree's own has registered (Linux 6.7): in the images since CRIU 4.3. */
import { closeSync, readFileSync } from "node:fs";
import { unescapeMountinfo } from "../host/cgroups.ts";
import type { Infer } from "../image/index.ts";
import { type binfmt_misc_entry, userns_entry } from "../image/tables/namespaces.ts";
import { handleInRoot, openDirectory } from "../sys/files.ts";
import { readRegular } from "../sys/regular.ts";
import { AT_FDCWD } from "../sys/linux.ts";
import { readAt } from "../sys/small-files.ts";
import type { Facet } from "./facet.ts";

export const binaryFormats: Facet = {
  id: "binary formats",
  final: "state",
  moving: true,
  compare({ checkpoint, live }, { same, leftOut }) {
    const seen = new Set<number>();
    for (const { task, pid, proc } of live.tasks.values()) {
      const users = task.ids?.user_ns_id;
      if (users === undefined || seen.has(users) || task.state === "dead") continue;
      const [entry] = checkpoint.values(`userns-${users}.img`, userns_entry);
      const mount = entry?.binfmt_misc.length ? mountIn(proc.read("mountinfo")) : undefined;
      if (entry === undefined || mount === undefined) continue;
      seen.add(users);
      for (const saved of entry.binfmt_misc) {
        const now = textIn(pid, `${mount}/${saved.name}`);
        // A CRIU before 4.3 passes over them, which is foreseen (image-newer).
        const lost = now === undefined ? "tolerated" : undefined;
        same(task.pid, `binary format ${saved.name}`, shown(saved), now, lost);
      }
    }
    for (const { task } of live.tasks.values()) {
      const users = task.ids?.user_ns_id;
      if (users === undefined || seen.has(users)) continue;
      seen.add(users);
      const [entry] = checkpoint.values(`userns-${users}.img`, userns_entry);
      leftOut("binary formats that no mount shows", entry?.binfmt_misc.length ?? 0);
    }
  },
};

const row = /^\d+ \d+ (\S+) \S+ (\S+) .* - binfmt_misc /;

/** Where a task sees its own binfmt_misc; this machine's own is another. proc_pid_mountinfo(5) */
function mountIn(mountinfo = ""): string | undefined {
  const devices = (text: string) => text.split("\n").flatMap((line) => row.exec(line)?.[1] ?? []);
  const ours = new Set(devices(readAt(AT_FDCWD, "/proc/self/mountinfo") ?? ""));
  for (const line of mountinfo.split("\n")) {
    const [, device, at] = row.exec(line) ?? [];
    if (device !== undefined && !ours.has(device)) return unescapeMountinfo(at!);
  }
  return undefined;
}

/** As the kernel shows a format (fs/binfmt_misc.c, entry_status()). */
function shown(saved: Infer<typeof binfmt_misc_entry>): string {
  const { enabled, interpreter, flags = "", extension, magic = "", mask, offset = 0 } = saved;
  const of =
    extension === undefined
      ? [`offset ${offset}`, `magic ${magic}`, ...(mask ? [`mask ${mask}`] : [])]
      : [`extension .${extension}`];
  return [
    enabled ? "enabled" : "disabled",
    `interpreter ${interpreter}`,
    `flags: ${flags}`,
    ...of,
  ].join(", ");
}

function textIn(pid: number, path: string): string | undefined {
  const root = openDirectory(`/proc/${pid}/root`);
  if (root < 0) return undefined;
  const place = handleInRoot(root, path, false);
  closeSync(root);
  const opened = place < 0 ? undefined : readRegular(place);
  if (!opened?.ok) return undefined;
  try {
    return readFileSync(opened.fd, "latin1").trimEnd().split("\n").join(", ");
  } finally {
    closeSync(opened.fd);
  }
}
