import { knows, since } from "../../criu/index.ts";
import { join } from "../../sys/path.ts";
import type { Check, Problem } from "../finding.ts";
import { imageOf, MS_RDONLY, savedMounts, shownWritable } from "./external.ts";
import { lookOnHost } from "./mount-sources.ts";

export const rootReadOnly: Check = {
  title: "CRIU cannot change into a root that is read-only",
  reads: "flags of the root in mountpoints-*.img; the directory of --root, the version of CRIU",
  why:
    "CRIU moves what was the root before into the directory tmp of the new one, and makes another where there is none. From 4.2 on it has made a root that was " +
    "read-only so by then, and cannot. It is shown a root without the mark, and recriu makes it read-only again before the tree runs.",
  proof: "criu",
  answers: ["edit"],
  run(context) {
    const { criu, request } = context;
    if (request.root === undefined) return [];
    if (!knows(criu?.version, "rootFlags", false)) return [];
    const tmp = lookOnHost(context, join(request.root, "tmp"));
    if (tmp === undefined || (tmp.ok && tmp.stat.isDirectory())) return [];
    const all = savedMounts(context);
    return all
      .filter(({ isRoot, entry }) => isRoot && (entry.flags & MS_RDONLY) !== 0)
      .map((mount): Problem => ({
        severity: "blocker",
        image: imageOf(mount),
        subject: request.root!,
        message: `the root was read-only, and ${request.root} has no directory tmp, without which CRIU ${since.rootFlags} and later cannot change into it`,
        criu_message: "mnt: Can't create a temporary directory: Read-only file system",
        remedy: shownWritable(context, mount, all, "CRIU makes a directory in it for the moment"),
      }));
  },
};
