import { sh } from "../../sys/shell.ts";
import type { Check } from "../finding.ts";

export const criuMissing: Check = {
  title: "CRIU is not on this machine",
  reads: "--criu, RECRIU_CRIU, PATH and the system's sbin directories",
  why: "recriu prepares and proves a restore; the restore itself is done by CRIU, which has to be installed.",
  proof: "harm",
  run({ criu, settings, noCriu = "no criu was found" }) {
    if (criu !== undefined) return [];
    const by = settings.from.criu;
    return [
      {
        severity: "blocker",
        image: "",
        subject: settings.criu ?? "criu",
        message: `there is no CRIU to run: ${noCriu}`,
        remedy:
          by === undefined
            ? {
                kind: "human",
                text: "install it, or name it by --criu=PATH",
                command: sh`apt-get install criu || dnf install criu`,
              }
            : {
                kind: "human",
                text: `correct what ${by} says, or take it away: then recriu looks in PATH`,
              },
      },
    ];
  },
};
