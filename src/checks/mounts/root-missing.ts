import { sh } from "../../sys/shell.ts";
import type { Check, Context } from "../finding.ts";

export const rootMissing: Check = {
  title: "The directory of --root cannot be the tree's root",
  reads: "namespaces in inventory.img and ids-*.img; the directory of --root",
  why: "CRIU binds the directory of --root as the root of the new mount namespace. It has to be there and to be a directory; a mount point it need not be. recriu does not make it: an empty directory in the place of a file system that is not mounted, or not unpacked, would hide that; but where `recriu seal --with-files` took the tree's files along, one that a person has made is filled with them.",
  proof: "criu",
  waits: true,
  run(context) {
    const root = context.request.root;
    if (!context.namespaces.created.mnt || root === undefined) return [];
    const opened = context.host.root(root);
    if (opened.ok) return [];
    const { uid, gid } = context.namespaces.ownerOnHost(0, 0) ?? { uid: 0, gid: 0 };
    return [
      {
        severity: "blocker",
        task: context.checkpoint.root?.pid ?? null,
        image: "mountpoints-*.img",
        subject: root,
        message: `the root ${root} of --root cannot be used: ${opened.problem}`,
        criu_message: `Unable to mount ${root}`,
        remedy: takesAlong(context)
          ? {
              kind: "human",
              text: "mount or unpack the root file system there; or make an empty directory, and look again: what of the tree's files was taken along is put into it, and nothing else will be there",
              command: sh`install -d -m 0755 -o ${uid} -g ${gid} ${root}`,
            }
          : { kind: "human", text: "mount or unpack the root file system there" },
      },
    ];
  },
};

/** Whether files of the tree would be put where nothing is. */
const takesAlong = ({ seal, settings, host, request }: Context): boolean =>
  seal?.ok === true &&
  !settings.untrusted &&
  host.entry(request.root!) === undefined &&
  seal.manifest.files.some(({ taken }) => taken !== undefined);
