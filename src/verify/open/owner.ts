/** Whom a file's signals go to, and which (fcntl(2), F_SETOWN_EX, F_SETSIG). */
import type { Infer } from "../../image/index.ts";
import type { fown_entry } from "../../image/tables/common.ts";
import { ownerOf } from "../../sys/open-files.ts";
import { ownUsers } from "../facet.ts";
import type { OpenFile } from "./file.ts";

export type Fown = Infer<typeof fown_entry>;
const F_OWNER_TID = 0;
const kinds = ["thread", "process", "process group"];

export function compareOwner(
  { pid, pid_type, signum, uid, euid }: Fown,
  file: OpenFile,
  copy: number,
): void {
  const now = ownerOf(copy);
  if (now === undefined) return; // opened by O_PATH: it has none
  file.same("signal", signum, now.signal);
  const show = (type: number, who: string | number) => `${kinds[type] ?? type} ${who}`;
  if (pid === 0)
    return file.same(
      "owner of signals",
      "nobody",
      now.pid === 0 ? "nobody" : show(now.type, now.pid),
    );
  const { live, checkpoint } = file.subject;
  // Numbers are those of the tree's pid namespace, and the kernel's answer is in recriu's.
  const tasks = [...live.tasks.values()];
  const here =
    pid_type === F_OWNER_TID
      ? tasks.map(({ threads }) => threads.get(pid)).find((tid) => tid !== undefined)
      : live.tasks.get(pid)?.pid;
  if (
    here === undefined &&
    checkpoint.root?.ids?.pid_ns_id !== checkpoint.inventory?.root_ids?.pid_ns_id
  )
    return file.leftOut("owners of signals that are not in the tree");
  const expected = show(pid_type, here ?? pid);
  file.same("owner of signals", expected, now.pid === 0 ? "nobody" : show(now.type, now.pid));
  if (!ownUsers(checkpoint) || now.users === undefined)
    file.leftOut("user ids of owners of signals");
  else file.same("user ids of the owner of signals", `${uid} ${euid}`, now.users.join(" "));
}
