import type { Check } from "../finding.ts";
import { imageOf, oldPlace, savedMounts } from "./external.ts";

export const rootNeeded: Check = {
  title: "The tree's own mount namespace needs --root",
  reads: "namespaces in inventory.img and ids-*.img, the root mount in mountpoints-*.img",
  why:
    "The root file system of a container is not in the images: --root names the directory that becomes it. Without it CRIU unmounts what " +
    "it sees in a namespace of its own, then crashes or says `The --root option is required to restore a mount namespace`.",
  proof: "harm",
  answers: ["choice", "person"],
  run(context) {
    if (!context.namespaces.created.mnt || context.request.root !== undefined) return [];
    const root = savedMounts(context).find(({ isRoot }) => isRoot);
    const guess = root && oldPlace(context, root.entry);
    const there = guess !== undefined && guess !== "/" && context.host.root(guess).ok;
    return [
      {
        severity: "blocker",
        task: context.checkpoint.root?.pid ?? null,
        image: root === undefined ? "mountpoints-*.img" : imageOf(root),
        subject: "--root",
        message: "the tree has a mount namespace of its own, and no --root says what its root is",
        remedy: there
          ? {
              kind: "option",
              text: `name the container's root; at the dump it was ${guess}`,
              option: `--root ${guess}`,
              automatic: false,
            }
          : {
              kind: "human",
              text: "add --root with the directory of the container's root file system",
            },
      },
    ];
  },
};
