/** Paths inside mounts that lead out of them (mount.c, mount-v2.c). */
import type { Check, Context, Problem } from "../finding.ts";
import { compatible, imageOf, type Mount, savedMounts } from "./external.ts";
import { type Bound, boundAndMade } from "./mount-of-host.ts";

const names = (path: string): string[] => path.split("/").filter((name) => name !== "");

/** A link on the way to what is bound, that CRIU follows as this machine's root sees it. */
function linkOnTheWay(context: Context, { base, path }: Bound): string | undefined {
  const opened = context.host.root(base);
  if (!opened.ok) return undefined;
  const parts = names(path);
  // Only mount(2) follows one at the end.
  const last = compatible(context) ? parts.length : parts.length - 1;
  for (let i = 1; i <= last; i++) {
    const at = `/${parts.slice(0, i).join("/")}`;
    const found = opened.root.look(at, false);
    if (found.ok && found.stat.isSymbolicLink()) return at;
  }
  return undefined;
}

export const mountOutside: Check = {
  title: "A mount of the tree would be something outside of it",
  reads:
    "root and mountpoint in mountpoints-*.img; the directories on the way there under --root and external mounts",
  why:
    "A directory that is mounted a second time inside the container is bound again from --root or from the external mount that holds it. CRIU follows `..` and " +
    "links on the way as this machine's root sees them, so they lead out of the container. The kernel never names such a path: the images were made up, or the " +
    "root file system was changed since.",
  proof: "harm",
  run(context) {
    const told = (mount: Mount, problem: string): Problem => ({
      severity: "blocker",
      image: imageOf(mount),
      subject: mount.at,
      message: `${mount.at} ${problem}`,
      remedy: {
        kind: "human",
        text: "do not restore it: take images and a root file system that belong together",
      },
    });
    const upwards = savedMounts(context)
      .filter(({ entry }) => names(`${entry.root}/${entry.mountpoint}`).includes(".."))
      .map((mount) =>
        told(mount, `of ${mount.entry.root} leads upwards, out of the tree's mounts`),
      );
    const linked = boundAndMade(context).bound.flatMap((bound) => {
      const link = linkOnTheWay(context, bound);
      return link === undefined
        ? []
        : [
            told(
              bound.mount,
              `is to be /${names(bound.path).join("/")} in ${bound.base}, where ${link} is a link: CRIU would mount what it leads to on this machine`,
            ),
          ];
    });
    return [...upwards, ...linked];
  },
};
