import type { Check } from "../finding.ts";

export const importCommand: Check = {
  title: "The findings of an archive are those of one engine's command",
  reads: "config.dump in the archive",
  why:
    "An engine makes the container anew from the archive: its root file system from the image, its named volumes, its own files. The findings are about " +
    "the needs of that command, and not of CRIU alone.",
  proof: "images",
  blocks: false,
  run({ exported }) {
    if (exported === undefined) return [];
    const { engine, file, store } = exported;
    const podman = engine === "podman";
    const lacks =
      typeof store === "string" ? `; what stands in its store was not looked at: ${store}` : "";
    return [
      {
        severity: "info",
        image: "config.dump",
        subject: file,
        message: podman
          ? `the findings are those of podman container restore --import${lacks}`
          : "the archive is one of the kubelet's API: a CRI runtime makes its mounts anew for the pod that takes it, so nothing is said of their sources",
        remedy: { kind: "human", text: "nothing to do" },
      },
    ];
  },
};
