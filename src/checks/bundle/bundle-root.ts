import type { Check } from "../finding.ts";
import { imageOf, savedMounts } from "../mounts/external.ts";
import { notThisContainer } from "./bundle.ts";

const READ_ONLY = 1;

export const bundleRoot: Check = {
  title: "The container's root is read-only by its bundle, and writable by its images",
  reads: "root.readonly in config.json; flags of the root mount in mountpoints-*.img",
  why: "CRIU mounts the root with the flags of the images, whatever the configuration says. Other mounts, and paths that the bundle masks, are not compared.",
  proof: "harm",
  run(context) {
    if (context.bundle?.readonlyRoot !== true) return [];
    const root = savedMounts(context).find(({ entry }) => entry.mountpoint === "/");
    if (root === undefined || (root.entry.flags & READ_ONLY) !== 0) return [];
    return [
      {
        severity: "blocker",
        task: context.checkpoint.root?.pid ?? null,
        image: imageOf(root),
        subject: "/",
        message:
          "by its bundle the container's root is read-only; by its images it would be writable",
        remedy: notThisContainer("bundle-root"),
      },
    ];
  },
};
