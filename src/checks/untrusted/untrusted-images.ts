/** Whether the images that were looked at are those that CRIU will read. */
import { upward } from "../../host/upward.ts";
import { mustBeSigned } from "../../criu/index.ts";
import { STICKY } from "../../sys/linux.ts";
import { join } from "../../sys/path.ts";
import type { Check, Context, Problem } from "../finding.ts";
import { imagePlaces } from "../images/image-places.ts";

/** A name in a directory that others may write to is safe where only owners may rename and remove: the sticky bit. */
const OTHERS = 0o022;

/** Which others could exchange what is at `path`; undefined when none can. */
function changer(context: Context, path: string): string | undefined {
  const stat = context.host.entry(path);
  if (stat === undefined) return "a user that cannot be told";
  if (stat.uid !== 0 && stat.uid !== context.host.effectiveUid)
    return `its owner, user ${stat.uid}`;
  if (stat.isSymbolicLink()) return undefined;
  const sticky = stat.isDirectory() && (stat.mode & STICKY) !== 0;
  return stat.mode & OTHERS && !sticky
    ? `others (mode ${(stat.mode & 0o7777).toString(8).padStart(4, "0")})`
    : undefined;
}

export const untrustedImages: Check = {
  title: "Others could exchange the images of a tree that is not trusted while it is restored",
  reads:
    "owner and mode of the images and their parents' (parent), their directories and all above",
  why:
    "recriu reads the images first, and CRIU reads them again. A user who can write to them, or rename a directory on the way, can show recriu one " +
    "checkpoint and CRIU another. So with --untrusted, and where a signature is demanded, which speaks of the bytes that were looked at.",
  proof: "harm",
  run(context) {
    const { settings, request } = context;
    if (!settings.untrusted && !mustBeSigned(settings)) return [];
    if (request.stream)
      return [finding("--stream", "come through a stream, so they cannot be looked at beforehand")];
    const paths = new Set<string>();
    for (const { directory, names } of imagePlaces(context)) {
      for (const path of [...upward(directory)].toReversed()) paths.add(path);
      for (const name of names) paths.add(join(directory, name));
    }
    for (const path of paths) {
      const who = changer(context, path);
      if (who !== undefined)
        return [finding(path, `can be changed by ${who} after recriu looked at them: ${path}`)];
    }
    return [];
  },
};

const finding = (subject: string, why: string): Problem => ({
  severity: "blocker",
  image: "",
  subject,
  message: `the images ${why}`,
  remedy: {
    kind: "human",
    text: "copy the images to a directory of root's own (install -d -m 0700), and restore from there",
  },
});
