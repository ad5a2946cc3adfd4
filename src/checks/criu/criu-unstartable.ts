import { sh } from "../../sys/shell.ts";
import type { Check } from "../finding.ts";

export const criuUnstartable: Check = {
  title: "This CRIU cannot be started on this machine",
  reads: "how criu --version ends",
  why:
    "A file that may be executed need not run: its interpreter or loader is missing, its libraries are of another libc, or it was " +
    "made for another machine. A CRIU that does not even say its version restores nothing.",
  proof: "harm",
  otherCriu: true,
  run: ({ criu }) =>
    criu?.problem === undefined
      ? []
      : [
          {
            severity: "blocker",
            image: "",
            subject: criu.path,
            message: `${criu.path} cannot be started: ${criu.problem}`,
            remedy: {
              kind: "human",
              text: "install a CRIU that runs here, or name one by --criu=PATH",
              command: sh`apt-get install criu || dnf install criu`,
            },
          },
        ],
};
