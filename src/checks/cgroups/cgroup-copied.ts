import type { Check, Problem } from "../finding.ts";
import {
  directoryOf,
  ignored,
  members,
  type SavedDirectory,
  savedDirectories,
} from "./cgroup-tree.ts";

/** So many cgroups without a task of the tree are no container's own: one with systemd in it has some hundred. */
const MOST = 500;

export const cgroupCopied: Check = {
  title: "A whole hierarchy of cgroups would be copied",
  reads: "cgroup.img; the directories of the saved cgroups on this machine",
  why:
    "A dump saves every cgroup below the one that a task is in. A container that sits at the root of a hierarchy (of a named v1 one, into which " +
    "no runtime puts it) has all of that hierarchy in its images, the cgroups of other containers too. Restored below a new cgroup, as runtimes do it, " +
    "CRIU makes them all again there, each restore as many as there are by then: machines with 120,000 cgroups were seen, on which every dump takes minutes.",
  proof: "harm",
  answers: ["option"],
  run(context) {
    if (ignored(context)) return [];
    const own = members(context);
    const { explicit } = context.request.manageCgroups;
    const keyOf = ({ controllers, path }: Pick<SavedDirectory, "controllers" | "path">) =>
      `${controllers[0]}:${path}`;
    const lived = new Set(own.map(keyOf));
    const others = savedDirectories(context).filter((saved) => !lived.has(keyOf(saved)));
    return [...Map.groupBy(others, ({ controllers }) => controllers.join(","))]
      .values()
      .flatMap(([hierarchy, directories]): Problem[] => {
        if (directories.length <= MOST) return [];
        const made = directories.filter(({ controllers, path }) => {
          const at = directoryOf(context, controllers, path);
          return at === undefined || !context.host.exists(at);
        });
        if (made.length <= MOST) return [];
        return [
          {
            severity: "blocker",
            image: "cgroup.img",
            subject: hierarchy,
            message: `CRIU would make ${made.length} cgroups in ${hierarchy === "" ? "cgroup2" : hierarchy} in which no task of the tree was`,
            remedy: {
              kind: "option",
              text: "let the tree stay in the cgroup that the restore is run from",
              option: "--manage-cgroups=ignore",
              automatic: !explicit,
            },
          },
        ];
      });
  },
};
