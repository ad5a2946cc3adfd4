import { sh } from "../../sys/shell.ts";
import type { Check } from "../finding.ts";

export const cpuUnknown: Check = {
  title: "Nothing says what the processor of an exported checkpoint could do",
  reads: "cpuinfo.img and recriu.manifest, which are not in the archive",
  why:
    "Container runtimes have CRIU save no processor. Moved to a machine whose processor can do less, the container comes back and is compared equal, and ends with SIGILL " +
    "when it uses what is not there: nothing sees it before. `criu cpuinfo dump -D DIR` on the machine of the dump (not on arm64) writes cpuinfo.img, recriu seal what /proc/cpuinfo says.",
  proof: "images",
  blocks: false,
  run({ checkpoint, exported, seal }) {
    if (exported === undefined || checkpoint.files.has("cpuinfo.img") || seal?.ok) return [];
    return [
      {
        severity: "info",
        image: "cpuinfo.img",
        subject: exported.file,
        message:
          "what the processor of the dump could do is not in the archive: on another one nothing tells what the programs will miss",
        remedy: {
          kind: "human",
          text: "on another machine than that of the dump, compare what this prints on both",
          command: sh`grep -m1 -e ^flags -e ^Features /proc/cpuinfo`,
        },
      },
    ];
  },
};
