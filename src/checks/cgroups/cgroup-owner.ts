/** Cgroups that are there, and that CRIU gives the owner and mode of the images (cgroup.c, prepare_dir_perms). */
import type { Check, Context, Problem } from "../finding.ts";
import { directoryOf, ignored, type Perms, savedDirectories, savedRoots } from "./cgroup-tree.ts";

export const cgroupOwner: Check = {
  title: "A cgroup that other processes are in would get another owner",
  reads: "dir_perms in cgroup.img; owner, mode and processes of the cgroups that are there",
  why:
    "CRIU leaves a cgroup that is there already as it is, but for its owner and mode: those it sets as the images say. The owner of a " +
    "cgroup may move, freeze and kill all that is in it, and what is in this one now is not the tree's. The images alone say which " +
    "cgroup gets which owner.",
  proof: "harm",
  answers: ["choice"],
  run(context) {
    if (ignored(context) || context.request.manageCgroups.value === "none") return [];
    return [...savedRoots(context), ...savedDirectories(context)]
      .values()
      .flatMap((saved): Problem[] => {
        const { controllers, path, perms } = saved;
        const directory = directoryOf(context, controllers, path);
        if (directory === undefined || perms === undefined || !holdsOthers(context, directory))
          return [];
        const now = context.host.entry(directory);
        if (now === undefined || !givesMore(now, perms)) return [];
        return [
          {
            severity: "blocker",
            image: "cgroup.img",
            subject: directory,
            message: `${directory}, in which others are, would be changed from ${shown(now)} to ${shown(perms)}`,
            remedy: {
              kind: "option",
              text: "let the tree stay in the cgroup that the restore is run from, and cgroups as they are",
              option: "--manage-cgroups=ignore",
              automatic: false,
            },
          },
        ];
      });
  },
};

const shown = ({ mode, uid, gid }: Perms): string =>
  `mode ${(mode & 0o7777).toString(8).padStart(4, "0")}, owner ${uid}:${gid}`;

/** Another owner, or others that may write. */
const givesMore = (now: Perms, then: Perms): boolean =>
  now.uid !== then.uid || now.gid !== then.gid || (then.mode & ~now.mode & 0o022) !== 0;

/** Processes in it or, as cgroup2 tells, below it, other than recriu itself. The root of a hierarchy is everybody's. */
function holdsOthers({ host }: Context, directory: string): boolean {
  if (!host.exists(`${directory}/..`) || !host.exists(`${directory}/../cgroup.procs`)) return true;
  const pids = (host.read(`${directory}/cgroup.procs`) ?? "").split("\n").filter(Boolean);
  const events = host.read(`${directory}/cgroup.events`) ?? "";
  return pids.length > 0
    ? pids.some((pid) => !host.recriu.has(Number(pid)))
    : /populated 1/.test(events);
}
