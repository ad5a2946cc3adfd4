import type { Check } from "../finding.ts";

export const locksIgnored: Check = {
  title: "File locks are not restored without --file-locks",
  reads: "filelocks.img, and --file-locks",
  why:
    "Without the option CRIU leaves the locks out and says nothing: two programs may then write where each believes to be alone. " +
    "With it CRIU takes each lock again, and waits for those that another process holds; so recriu does not add it by itself.",
  proof: "harm",
  blocks: false,
  answers: ["choice"],
  run({ checkpoint, request }) {
    const count = checkpoint.fileLocks.length;
    if (count === 0 || request.fileLocks || request.explicit.has("file-locks")) return [];
    return [
      {
        severity: "warning",
        task: checkpoint.fileLocks[0]!.pid,
        image: "filelocks.img",
        subject: "--file-locks",
        message: `${count} file lock${count === 1 ? "" : "s"} will not be restored`,
        remedy: {
          kind: "option",
          text: "restore the file locks as they were",
          option: "--file-locks",
          automatic: false,
        },
      },
    ];
  },
};
